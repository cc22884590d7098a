'use strict';
/* Who can read and write what, tried against the store itself and not through a page: the table of couchapp/README.md. */
const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { PASSWORD } = require('./lib');
const { Store, root } = require('../e2e/lib');

const README = fs.readFileSync(path.join(root, 'couchapp/README.md'), 'utf8');
const example = (kind) => JSON.parse(fs.readFileSync(path.join(root, `schemas/examples/${kind}.json`), 'utf8'));
const OBS = '01JTB7K3M4N5P6Q7R8S9T0V1W2';
let store, uids;

/* The rows of the table: { what: {anonymous, observer, reviewer, worker, admin} } with "read", "write", "own", "–". */
function table() {
  const lines = README.split('\n').filter((line) => /^\| `/.test(line));
  const people = ['anonymous', 'observer', 'reviewer', 'worker', 'admin'];
  return lines.map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()))
    .map(([what, ...cells]) => ({ what: what.replace(/`/g, ''), ...Object.fromEntries(people.map((name, i) => [name, cells[i]])) }));
}

test.before(() => {
  store = Store.start();
  store.must('init', '--quiet');
  const file = path.join(fs.mkdtempSync('/tmp/linnet-rights-'), 'password');
  fs.writeFileSync(file, `${PASSWORD}\n`);
  uids = {};
  for (const [name, role] of [['observer', 'observer'], ['reviewer', 'reviewer'], ['worker', 'worker'], ['admin', 'admin']]) {
    uids[name] = JSON.parse(store.must('user', 'add', `rights-${name}`, '--role', role, '--password-file', file, '--json').out).uid;
  }
  fs.rmSync(path.dirname(file), { recursive: true });
});
test.after(async () => {
  for (const name of Object.keys(uids || {})) {
    const where = `/_users/org.couchdb.user:rights-${name}`, account = await store.ask('GET', where);
    if (!store.ours && account.json?._rev) await store.ask('DELETE', `${where}?rev=${account.json._rev}`);
  }
  store?.stop();
});

async function as(who, method, where, body) {
  const headers = who === 'anonymous' ? {} : { authorization: `Basic ${Buffer.from(`rights-${who}:${PASSWORD}`).toString('base64')}` };
  const answer = await fetch(new URL(where.replace(/^\/linnet/, `/${store.prefix}`), store.url.origin), {
    method, headers: { ...headers, ...(body ? { 'content-type': 'application/json' } : {}) }, body: body && JSON.stringify(body) });
  const text = await answer.text();
  return { status: answer.status, text };
}

const databaseOf = (what) => (what.startsWith('ops ') ? '/linnet-ops' : what.startsWith('reference ') ? '/linnet-reference' : '/linnet');
const kindOf = (what) => what.split(' ').pop();

/* A document of the kind that belongs to `uid`, at an id of its own. */
let count = 0;
function documentOf(kind, uid) {
  const document = example(kind), obs = OBS.slice(0, 20) + String(100000 + ++count);
  const id = document._id.replace(OBS, obs);
  const owner = { observation: 'observer', image: 'observer', validation: 'user', comment: 'user', flag: 'user' }[kind];
  if (owner) document[owner] = uid;
  if (kind === 'image') document._attachments = { original: { content_type: 'image/jpeg', data: '/9j/' } };
  else delete document._attachments;
  if (kind === 'observation') { document.location = { decimalLatitude: 43.6, decimalLongitude: 3.8 }; }
  document._id = ['validation', 'flag'].includes(kind) ? `${obs}:${kind}:${uid}` : ['taxon', 'flora', 'model', 'reviewer', 'wanted', 'skill', 'site', 'deadletter', 'retry', 'share', 'worker'].includes(kind) ? `${id}${count}` : id;
  return document;
}

async function may(who, what) {
  const database = databaseOf(what), kind = kindOf(what);
  const put = async (uid) => {
    const document = documentOf(kind, uid);
    const { status } = await as(who, 'PUT', `${database}/${encodeURIComponent(document._id)}`, document);
    assert.ok([201, 202, 401, 403].includes(status), `${who} writes ${what}: ${status}`);
    return status < 300;
  };
  const read = (await as(who, 'GET', `${database}/_all_docs?limit=1`)).status === 200;
  const others = await put('somebodyelse'), own = uids[who] ? await put(uids[who]) : others;
  return `${read ? 'read' : '–'}${others ? ', write' : own ? ', write own' : ''}`;
}

test('the_table_of_rights_is_true', async () => {
  const rows = table();
  assert.ok(rows.length >= 12, `${rows.length} rows`);
  const wrong = [];
  for (const { what, ...people } of rows) {
    for (const [who, said] of Object.entries(people)) {
      const found = await may(who, what);
      if (found !== said) wrong.push(`${who}, ${what}: the table says "${said}", the store "${found}"`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('nobody_but_admins_touches_design_documents_security_and_accounts', async () => {
  const security = await store.get('/linnet/_security');
  for (const who of ['anonymous', 'observer', 'reviewer', 'worker']) {
    for (const [method, where, body] of [['PUT', '/linnet/_design/evil', { views: {} }], ['PUT', '/linnet/_security', {}], ['DELETE', '/linnet'],
      ['PUT', '/_users/org.couchdb.user:evil', { name: 'evil', type: 'user', roles: ['admin'], password: 'x' }], ['GET', '/_users/_all_docs'], ['GET', '/linnet-ops/_changes']]) {
      if (who === 'worker' && where.startsWith('/linnet-ops')) continue;
      const { status, text } = await as(who, method, where, body);
      // A CouchDB whose shards all refuse a `_security` says 500 no_majority (3.5.0).
      const refused = [401, 403, 404].includes(status) || (where.endsWith('_security') && status === 500 && text.includes('no_majority'));
      assert.ok(refused, `${who} ${method} ${where}: ${status} ${text}`);
    }
  }
  assert.deepEqual(await store.get('/linnet/_security'), security);
  const where = '/_users/org.couchdb.user:rights-observer', mine = await store.get(where);
  const raised = await as('observer', 'PUT', where, { ...mine, roles: [...mine.roles, 'admin'] });
  assert.ok([401, 403].includes(raised.status), `roles raised: ${raised.status}`);
});

test('no_exact_place_of_an_obscured_observation_can_be_had', async () => {
  const document = documentOf('observation', uids.observer), id = encodeURIComponent(document._id), exact = { decimalLatitude: 43.61234, decimalLongitude: 3.87654 };
  assert.equal((await as('observer', 'PUT', `/linnet/${id}`, { ...document, location: exact })).status, 403); // as an old app would send it
  const first = await as('observer', 'PUT', `/linnet/${id}`, document);
  assert.equal(first.status, 201, first.text);
  const { rev } = JSON.parse(first.text);
  assert.equal((await as('observer', 'PUT', `/linnet/${id}`, { ...document, _rev: rev, wild: true })).status, 201);
  const forced = await as('observer', 'POST', '/linnet/_bulk_docs', { new_edits: false, docs: [{ ...document, location: exact, _rev: '9-0123456789abcdef0123456789abcdef', _revisions: { start: 9, ids: ['0123456789abcdef0123456789abcdef'] } }] });
  for (const where of [`/linnet/${id}?open_revs=all`, `/linnet/${id}?rev=${rev}`, `/linnet/${id}?conflicts=true&revs_info=true`, '/linnet/_changes?include_docs=true&style=all_docs&conflicts=true', '/linnet/_all_docs?include_docs=true&conflicts=true']) {
    const { text } = await as('anonymous', 'GET', where);
    assert.doesNotMatch(text, /43\.61|3\.87/, `${where} after ${forced.text}`);
  }
});
