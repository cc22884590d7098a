'use strict';
/* The embedded store from outside: over HTTP, as a process. */
const { test, before, after } = require('node:test');
const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const zlib = require('node:zlib');

let dir;
let store;
let base;

function start(port = 0) {
  const child = spawn(process.execPath, [path.join(__dirname, '..', '..', 'deploy', 'embedded', 'store.js'), '--dir', dir, '--port', String(port), '--admin', 'admin:secret'],
    { stdio: ['ignore', 'pipe', 'pipe'] });
  child.notices = '';
  child.stderr.on('data', (data) => (child.notices += data));
  child.ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  return new Promise((resolve, reject) => {
    child.stdout.once('data', (data) => resolve({ child, url: String(data).trim() }));
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${child.notices}`)));
  });
}

/* One request; `as` is user:password, null for nobody. */
function call(method, where, { as = 'admin:secret', body, type = 'application/json', headers = {} } = {}) {
  const payload = body === undefined ? undefined : Buffer.isBuffer(body) || typeof body === 'string' ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const request = http.request(`${base}${where}`, {
      method,
      agent: false,
      headers: {
        ...(as ? { authorization: `Basic ${Buffer.from(as).toString('base64')}` } : {}),
        ...(payload === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(payload) }),
        ...headers,
      },
    }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => {
        const bytes = Buffer.concat(chunks);
        let json;
        try {
          json = JSON.parse(bytes);
        } catch {
          json = undefined;
        }
        resolve({ status: response.statusCode, headers: response.headers, bytes, json });
      });
    });
    request.on('error', reject);
    request.end(payload);
  });
}

/* An open continuous feed: next() resolves with the next line that is JSON. */
function follow(where, as = 'admin:secret') {
  const lines = [];
  const waiting = [];
  let rest = '';
  const request = http.get(`${base}${where}`, { agent: false, headers: { authorization: `Basic ${Buffer.from(as).toString('base64')}` } });
  request.on('error', () => {});
  request.on('response', (response) => {
    response.on('error', () => {});
    response.on('data', (data) => {
      const parts = (rest + data).split('\n');
      rest = parts.pop();
      for (const line of parts.filter(Boolean)) {
        const take = waiting.shift();
        if (take) take(JSON.parse(line));
        else lines.push(JSON.parse(line));
      }
    });
  });
  return {
    next: () => (lines.length ? Promise.resolve(lines.shift()) : new Promise((resolve) => waiting.push(resolve))),
    close: () => request.destroy(),
  };
}

function innerProcess() {
  return Number(fs.readFileSync(`/proc/${store.pid}/task/${store.pid}/children`, 'utf8').trim().split(' ')[0]);
}

/* Gone, or dead and not yet collected by its new parent. */
function ended(pid) {
  try {
    return / Z /.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}

async function until(condition) {
  for (;;) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

before(async () => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'linnet-store-test-'));
  ({ child: store, url: base } = await start());
});

after(async () => {
  store.kill('SIGTERM');
  assert.deepEqual(await store.ended, { code: 0, signal: null });
  fs.rmSync(dir, { recursive: true });
});

test('answers_up_and_names_itself', async () => {
  assert.equal((await call('GET', '/_up', { as: null })).json.status, 'ok');
  assert.match((await call('GET', '/', { as: null })).json.vendor.name, /embedded/);
  assert.match(base, /^http:\/\/127\.0\.0\.1:\d+$/);
});

test('there_is_no_admin_party', async () => {
  for (const as of [null, 'admin:wrong', 'nobody:secret']) {
    assert.equal((await call('PUT', '/party', { as })).status, 401);
    assert.equal((await call('GET', '/_all_dbs', { as })).status, 401);
    assert.equal((await call('DELETE', '/_users', { as })).status, 401);
    assert.equal((await call('PUT', '/_users/org.couchdb.user:eve', { as, body: { name: 'eve', type: 'user', roles: [], password: 'x' } })).status, 401);
  }
});

test('a_new_database_is_closed_until_its_security_opens_it', async () => {
  assert.equal((await call('PUT', '/closed')).status, 201);
  assert.equal((await call('PUT', '/closed')).status, 412);
  await call('PUT', '/closed/doc', { body: { secret: 1 } });
  const asked = [['GET', '/closed'], ['GET', '/closed/doc'], ['GET', '/closed/_all_docs'], ['GET', '/closed/_changes'],
    ['POST', '/closed/_find', { selector: {} }], ['POST', '/closed/_bulk_get', { docs: [{ id: 'doc' }] }], ['GET', '/closed/_index'],
    ['POST', '/closed/_bulk_docs', { docs: [{ _id: 'x' }] }], ['GET', '/closed/_local/x'], ['POST', '/closed/_revs_diff', {}]];
  for (const [method, where, body] of asked) assert.equal((await call(method, where, { as: null, body })).status, 401, where);
  assert.equal((await call('PUT', '/closed/_security', { body: { admins: {}, members: { names: [], roles: [] } } })).status, 200);
  assert.equal((await call('GET', '/closed/doc', { as: null })).json.secret, 1);
  assert.equal((await call('PUT', '/closed/eve', { as: null, body: {} })).status, 401);
});

test('routes_that_crash_or_leak_are_refused', async () => {
  await call('PUT', '/routes');
  const refused = [['GET', '/routes/_changes?filter=_selector'], ['POST', '/routes/_changes?filter=_design', {}], ['POST', '/routes/_temp_view', {}],
    ['GET', '/_config'], ['POST', '/_replicate', {}], ['GET', '/_utils/'], ['GET', '/routes/_design/x/_show/y'], ['GET', '/routes/_design/x/_rewrite/y'],
    ['COPY', '/routes/doc'], ['GET', '/%5Fconfig'], ['GET', '/routes/_purge'], ['POST', '/_restart', {}], ['GET', '/_log']];
  for (const [method, where, body] of refused) assert.equal((await call(method, where, { body })).status, 501, where);
  const multipart = { type: 'multipart/related; boundary=x', body: '--x\r\n\r\n{}\r\n--x--' };
  assert.equal((await call('PUT', '/routes/doc', multipart)).status, 501);
  assert.equal((await call('POST', '/routes/doc', { ...multipart, type: 'multipart/form-data; boundary=x' })).status, 501);
  assert.equal((await call('PUT', '/..%2f..%2fetc')).status, 501);
  assert.equal((await call('GET', '/routes/%E0%A4%A')).status, 400);
  assert.equal((await call('GET', '/routes//doc')).status, 400);
  assert.equal((await call('GET', '/_up')).status, 200);
});

test('hostile_bodies_are_answered_and_do_no_harm', async () => {
  await call('PUT', '/hostile');
  const deep = '{"a":'.repeat(100000) + '1' + '}'.repeat(100000);
  const bodies = ['null', '[]', '"text"', '{', deep, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), '{"docs":null}', '{"docs":[null,1,"x",[]]}',
    '{"_id":7}', '{"_id":"_x"}', '{"__proto__":{"a":1},"constructor":{"prototype":1}}', '{"_attachments":7}', '{"_attachments":{"a":null}}',
    '{"_rev":"nonsense"}', '{"_rev":7}', '{"_deleted":"perhaps"}', '{"_unknown":1}', '{"_attachments":{"a":{"data":"%%%"}}}',
    '{"_attachments":{"a":{"stub":true}}}', '{"_revisions":{"start":"x","ids":7},"_rev":"1-a"}', '{"new_edits":false,"docs":[{"_id":"x"}]}'];
  for (const body of bodies) {
    for (const [method, where] of [['PUT', '/hostile/doc'], ['POST', '/hostile'], ['POST', '/hostile/_bulk_docs'], ['POST', '/hostile/_all_docs'],
      ['POST', '/hostile/_find'], ['POST', '/hostile/_bulk_get'], ['POST', '/hostile/_revs_diff'], ['POST', '/hostile/_changes'],
      ['PUT', '/hostile/_security'], ['POST', '/hostile/_index'], ['POST', '/hostile/_design/x/_view/y'], ['PUT', '/hostile/_design/x'],
      ['POST', '/_session'], ['PUT', '/_users/org.couchdb.user:x']]) {
      const answer = await call(method, where, { body });
      assert.ok(answer.status < 600, where);
    }
  }
  assert.equal((await call('GET', '/_up')).status, 200);
  assert.equal(store.notices, '');
});

test('bulk_answers_stand_in_the_order_of_the_documents', async () => {
  await call('PUT', '/bulk');
  await call('PUT', '/bulk/_design/rules', { body: {
    validate_doc_update: 'function (doc, old, user) { if (doc.bad) throw { forbidden: "bad document" }; if (old && old.fixed && !doc.fixed) throw { forbidden: "fixed" }; }' } });
  const { json } = await call('POST', '/bulk/_bulk_docs', { body: { docs: [{ _id: 'a' }, { _id: 'b', bad: true }, { _id: 'c', fixed: true }, 7, { _id: 'a' }] } });
  assert.deepEqual(json.map((answer) => answer.id), ['a', 'b', 'c', undefined, 'a']);
  assert.deepEqual(json.map((answer) => answer.error), [undefined, 'forbidden', undefined, 'bad_request', 'conflict']);
  assert.equal(json[1].reason, 'bad document');
  const { rev } = json[2];
  assert.equal((await call('PUT', `/bulk/c?rev=${rev}`, { body: {} })).status, 403);
  assert.equal((await call('DELETE', `/bulk/c?rev=${rev}`)).status, 403);
  assert.equal((await call('DELETE', `/bulk/a?rev=${json[0].rev}`)).status, 200);
  assert.equal((await call('GET', '/bulk/a')).json.reason, 'deleted');
});

test('two_edits_of_one_document_never_make_a_conflict_that_nobody_made', async () => {
  await call('PUT', '/edits');
  const made = await call('PUT', '/edits/a', { body: { n: 0 } });
  const edit = (n) => ({ _id: 'a', _rev: made.json.rev, n });
  const one = await call('POST', '/edits/_bulk_docs', { body: { docs: [edit(1), edit(2)] } });
  assert.deepEqual(one.json.map((row) => row.error), [undefined, 'conflict']);
  const base = one.json[0].rev;
  const many = await Promise.all([...Array(10).keys()].map((n) => call('POST', '/edits/_bulk_docs', { body: { docs: [{ _id: 'a', _rev: base, n }] } })));
  assert.equal(many.filter((answer) => answer.json[0].ok).length, 1);
  const leaves = await call('GET', '/edits/a?conflicts=true');
  assert.equal(leaves.json._conflicts, undefined);
});

test('validation_sees_user_database_and_attachment_stubs', async () => {
  await call('PUT', '/seen');
  await call('PUT', '/seen/_security', { body: { admins: { roles: ['boss'] }, members: {} } });
  await call('PUT', '/_users/org.couchdb.user:ann', { body: { name: 'ann', type: 'user', roles: ['u:1'], password: 'pw' } });
  await call('PUT', '/seen/_design/rules', { body: { validate_doc_update: 'function (doc, old, user, security) { throw { forbidden: toJSON([doc._attachments, user, security, isArray([])]) }; }' } });
  const { json, status } = await call('PUT', '/seen/x', { as: 'ann:pw', body: { _attachments: { a: { content_type: 'text/plain', data: 'aGVsbG8=' } } } });
  assert.equal(status, 403);
  assert.deepEqual(JSON.parse(json.reason), [{ a: { content_type: 'text/plain', stub: true, length: 5 } },
    { name: 'ann', roles: ['u:1'], db: 'seen' }, { admins: { roles: ['boss'] }, members: {} }, true]);
  const bytes = { _attachments: { a: { content_type: 'image/png', data: 'aGVsbG8=' } } };
  await call('PUT', '/kept-stubs');
  const { json: put } = await call('PUT', '/kept-stubs/x', { body: bytes });
  await call('PUT', '/kept-stubs/_design/rules', { body: { validate_doc_update: 'function (doc) { throw { forbidden: toJSON(doc._attachments.a) }; }' } });
  const kept = await call('PUT', '/kept-stubs/x', { body: { _rev: put.rev, _attachments: { a: { stub: true } } } });
  const { content_type: type, length, stub } = JSON.parse(kept.json.reason);
  assert.deepEqual([type, length, stub], ['image/png', 5, true]);
  assert.equal((await call('PUT', '/seen/_design/mine', { as: 'ann:pw', body: {} })).status, 401);
  assert.equal((await call('PUT', '/seen/_security', { as: 'ann:pw', body: {} })).status, 403);
});

test('a_user_may_change_the_own_password_and_nothing_else', async () => {
  const id = '/_users/org.couchdb.user:bob';
  await call('PUT', id, { body: { name: 'bob', type: 'user', roles: ['u:2'], password: 'pw' } });
  const mine = (await call('GET', id, { as: 'bob:pw' })).json;
  assert.deepEqual(mine.roles, ['u:2']);
  assert.equal(mine.password, undefined);
  assert.equal((await call('PUT', id, { as: 'bob:pw', body: { ...mine, roles: ['u:2', 'admin'] } })).status, 403);
  assert.equal((await call('PUT', '/_users/org.couchdb.user:ann2', { as: 'bob:pw', body: { ...mine } })).status, 403);
  for (const where of ['/_users', '/_users/_all_docs', '/_users/_changes', '/_users/org.couchdb.user:ann', '/_users/org.couchdb.user:admin']) {
    assert.equal((await call('GET', where, { as: 'bob:pw' })).status, 403, where);
  }
  assert.equal((await call('POST', '/_users/_bulk_docs', { as: 'bob:pw', body: { docs: [{ ...mine, roles: [] }] } })).status, 403);
  assert.equal((await call('PUT', id, { as: 'bob:pw', body: { ...mine, password: 'new' } })).status, 201);
  assert.deepEqual((await call('GET', '/_session', { as: 'bob:new' })).json.userCtx.roles, ['u:2']);
  assert.equal((await call('GET', id, { as: 'bob:pw' })).status, 401);
});

test('replicated_revisions_keep_their_history_and_conflict', async () => {
  await call('PUT', '/conflicts');
  await call('PUT', '/conflicts/_design/rules', { body: { validate_doc_update: 'function (doc) { if (!doc.n && !doc._deleted) throw { forbidden: "n" }; }' } });
  const docs = ['aa', 'bb'].map((tip) => ({ _id: 'x', n: tip, _rev: `2-${tip}`, _revisions: { start: 2, ids: [tip, 'cc'] } }));
  const refused = { _id: 'y', _rev: '1-dd', _revisions: { start: 1, ids: ['dd'] } };
  const answer = await call('POST', '/conflicts/_bulk_docs', { body: { new_edits: false, docs: [...docs, refused] } });
  assert.deepEqual(answer.json.map((one) => [one.id, one.error]), [['y', 'forbidden']]);
  const stored = (await call('GET', '/conflicts/x?conflicts=true&revs=true')).json;
  assert.deepEqual([stored._rev, stored._conflicts, stored._revisions], ['2-bb', ['2-aa'], { start: 2, ids: ['bb', 'cc'] }]);
  const feed = (await call('GET', '/conflicts/_changes?style=all_docs')).json;
  assert.deepEqual(feed.results.find((change) => change.id === 'x').changes, [{ rev: '2-bb' }, { rev: '2-aa' }]);
});

test('attachments_are_kept_to_the_byte_and_served_sandboxed', async () => {
  await call('PUT', '/files');
  const bytes = Buffer.from(Array.from({ length: 70000 }, (_, i) => (i * 7) & 255));
  const { json } = await call('PUT', '/files/doc', { body: { _attachments: { inline: { content_type: 'image/png', data: bytes.toString('base64') } } } });
  const put = await call('PUT', `/files/doc/a%2Fb.bin?rev=${json.rev}`, { body: bytes, type: 'application/x-thing' });
  assert.equal(put.status, 201);
  for (const [name, type] of [['inline', 'image/png'], ['a/b.bin', 'application/x-thing']]) {
    const got = await call('GET', `/files/doc/${name}`);
    assert.ok(got.bytes.equals(bytes));
    assert.equal(got.headers['content-type'], type);
    assert.equal(got.headers['content-security-policy'], 'sandbox');
  }
  assert.equal((await call('PUT', '/files/doc/late', { body: bytes })).status, 409);
  assert.equal((await call('DELETE', `/files/doc/inline?rev=${put.json.rev}`)).status, 201);
  assert.deepEqual(Object.keys((await call('GET', '/files/doc')).json._attachments), ['a/b.bin']);
});

test('text_travels_compressed_to_who_takes_it', async () => {
  await call('PUT', '/texts');
  const text = Buffer.from('a leaf, and another leaf. '.repeat(100));
  const files = { text: 'text/javascript', picture: 'image/png' };
  await call('PUT', '/texts/doc', { body: { _attachments: Object.fromEntries(Object.entries(files).map(([name, type]) => [name, { content_type: type, data: text.toString('base64') }])) } });
  const plain = await call('GET', '/texts/doc/text');
  assert.ok(plain.bytes.equals(text));
  for (let turn = 0; turn < 2; turn++) {
    const packed = await call('GET', '/texts/doc/text', { headers: { 'accept-encoding': 'gzip, br' } });
    assert.equal(packed.headers['content-encoding'], 'gzip');
    assert.equal(packed.headers.etag, plain.headers.etag);
    assert.ok(packed.bytes.length < 200 && zlib.gunzipSync(packed.bytes).equals(text));
  }
  assert.equal((await call('GET', '/texts/doc/text', { headers: { 'accept-encoding': 'gzip', 'if-none-match': plain.headers.etag } })).status, 304);
  assert.ok((await call('GET', '/texts/doc/picture', { headers: { 'accept-encoding': 'gzip' } })).bytes.equals(text));
});

test('feed_pages_a_backlog_then_follows_and_leaves_nothing_when_closed', async () => {
  await call('PUT', '/feed');
  const count = 1000;
  await call('POST', '/feed/_bulk_docs', { body: { docs: Array.from({ length: count }, (_, i) => ({ _id: `d${String(i).padStart(4, '0')}` })) } });
  const feed = follow('/feed/_changes?feed=continuous&include_docs=true&heartbeat=1000&since=0');
  const seen = new Set();
  for (let i = 0; i < count; i++) seen.add((await feed.next()).doc._id);
  assert.equal(seen.size, count);
  await call('PUT', '/feed/fresh', { body: {} });
  assert.equal((await feed.next()).id, 'fresh');
  assert.equal((await call('GET', '/_up')).json.feeds, 1);
  feed.close();
  await until(async () => (await call('GET', '/_up')).json.feeds === 0);
  const last = (await call('GET', '/feed')).json.update_seq;
  const ended = (await call('GET', `/feed/_changes?feed=continuous&timeout=50&since=${last}`)).json;
  assert.equal(ended.last_seq, last);
  const poll = call('GET', `/feed/_changes?feed=longpoll&since=${last}`);
  await call('PUT', '/feed/more', { body: {} });
  assert.deepEqual((await poll).json.results.map((change) => change.id), ['more']);
  assert.equal((await call('GET', '/feed/_changes?descending=true&limit=1')).json.results[0].id, 'more');
  assert.equal((await call('GET', '/feed/_changes?limit=3')).json.results.length, 3);
  assert.equal((await call('GET', '/feed/_changes?since=x')).status, 400);
});

test('views_are_built_and_reduced', async () => {
  await call('PUT', '/views');
  await call('PUT', '/views/_design/v', { body: { views: { n: { map: 'function (doc) { emit(doc.k, 1); }', reduce: '_sum' } } } });
  await call('POST', '/views/_bulk_docs', { body: { docs: [{ k: 'a' }, { k: 'a' }, { k: 'b' }] } });
  assert.deepEqual((await call('GET', '/views/_design/v/_view/n?group=true')).json.rows, [{ key: 'a', value: 2 }, { key: 'b', value: 1 }]);
  assert.equal((await call('GET', '/views/_design%2Fv')).json._id, '_design/v');
});

test('a_deleted_database_ends_its_feeds_and_has_another_identity_when_made_again', async () => {
  await call('PUT', '/gone');
  const first = (await call('GET', '/gone')).json.uuid;
  const feed = call('GET', '/gone/_changes?feed=continuous&heartbeat=1000');
  await until(async () => (await call('GET', '/_up')).json.feeds === 1);
  assert.equal((await call('DELETE', '/gone')).status, 200);
  await feed;
  assert.equal((await call('GET', '/gone')).status, 404);
  assert.equal((await call('DELETE', '/gone')).status, 404);
  await call('PUT', '/gone');
  const second = (await call('GET', '/gone')).json;
  assert.notEqual(second.uuid, first);
  assert.equal(second.doc_count, 0);
});

test('a_killed_inner_process_comes_back_on_its_port_with_its_data', async () => {
  await call('PUT', '/kept');
  await call('PUT', '/kept/doc', { body: { n: 1 } });
  const { uuid } = (await call('GET', '/kept')).json;
  const inner = innerProcess();
  process.kill(inner, 'SIGKILL');
  await until(() => /starting it again/.test(store.notices));
  await until(() => call('GET', '/_up').then(() => true, () => false));
  assert.equal((await call('GET', '/kept/doc')).json.n, 1);
  assert.equal((await call('GET', '/kept')).json.uuid, uuid);
});

test('what_was_acknowledged_survives_kills', async () => {
  await call('PUT', '/acknowledged');
  const acknowledged = new Set();
  for (let kill = 0; kill < 3; kill++) {
    const victim = innerProcess();
    const least = acknowledged.size + 500;
    for (let batch = 0, killed = false; !killed || acknowledged.size < least; batch++) {
      const docs = Array.from({ length: 50 }, (_, i) => ({ _id: `${kill}-${batch}-${i}`, n: i }));
      const answer = await call('POST', '/acknowledged/_bulk_docs', { body: { docs } }).catch(() => null);
      for (const one of (answer && answer.json) || []) if (one.ok) acknowledged.add(one.id);
      if (batch === 5) process.kill(victim, 'SIGKILL');
      killed = killed || ended(victim);
      if (!answer) await until(() => call('GET', '/_up').then(() => true, () => false));
    }
  }
  const there = new Set((await call('GET', '/acknowledged/_all_docs')).json.rows.map(({ id }) => id));
  for (const id of acknowledged) assert.ok(there.has(id), id);
  const fed = new Set((await call('GET', '/acknowledged/_changes')).json.results.map(({ id }) => id));
  for (const id of acknowledged) assert.ok(fed.has(id), id);
});

test('a_killed_supervisor_takes_the_inner_process_with_it', async () => {
  const inner = innerProcess();
  const port = Number(new URL(base).port);
  store.kill('SIGKILL');
  await store.ended;
  ({ child: store, url: base } = await start(port)); // waits for the old one's port and lock
  assert.equal(Number(new URL(base).port), port);
  await until(() => ended(inner));
  assert.equal((await call('GET', '/kept/doc')).json.n, 1);
});
