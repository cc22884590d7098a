'use strict';
/* linnet init and linnet user against a real store, and the doors that init puts up in it. */
const { test, after } = require('node:test');
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { call, linnet, prefix, store } = require('./client');

const DATABASES = [prefix, `${prefix}-reference`, `${prefix}-ops`];
const [MAIN, REFERENCE, OPS] = DATABASES;
const run = crypto.randomBytes(4).toString('hex');
const EXAMPLES = path.join(__dirname, '..', '..', 'schemas', 'examples');
const example = (name) => JSON.parse(fs.readFileSync(path.join(EXAMPLES, `${name}.json`), 'utf8'));
const people = {};

const ulid = () => `01${[...crypto.randomBytes(24)].map((byte) => '0123456789ABCDEFGHJKMNPQRSTVWXYZ'[byte & 31]).join('')}`;
const digest = () => crypto.randomBytes(32).toString('hex');

async function ok(method, where, options) {
  const answer = await call(method, where, options);
  assert.ok(answer.status < 300, `${method} ${where}: ${answer.status} ${answer.text}`);
  return answer.json;
}
const put = (database, document, as) => call('PUT', `/${database}/${encodeURIComponent(document._id)}`, { as, body: document });
const mustPut = (database, document, as) => ok('PUT', `/${database}/${encodeURIComponent(document._id)}`, { as, body: document });

async function person(name, role = 'observer') {
  const login = `${name}-${run}`;
  const { code, json, err } = await linnet(['user', 'add', login, '--role', role, '--json']);
  assert.equal(code, 0, err);
  people[name] = { login, uid: json.uid, as: `${login}:${json.password}` };
  return people[name];
}

function observation(uid, obs = ulid()) {
  const { location, ...rest } = example('observation');
  return { ...rest, _id: `${obs}:observation`, observer: uid, location: { decimalLatitude: 43.6, decimalLongitude: 3.8 } };
}

function image(uid, obs) {
  const bytes = crypto.randomBytes(100);
  const name = crypto.createHash('sha256').update(bytes).digest('hex');
  return { _id: `${obs}:image:${name}`, kind: 'image', observer: uid, created_at: '2026-05-03T10:25:30Z',
    _attachments: { original: { content_type: 'image/jpeg', data: bytes.toString('base64') } } };
}

const validation = (uid, obs) => ({ _id: `${obs}:validation:${uid}`, kind: 'validation', user: uid, created_at: '2026-05-04T08:00:00Z', vote: 'cannot-tell' });

function consensus(obs, ...uids) {
  const votes = uids.map((user) => ({ user, vote: 'cannot-tell', weight: 1, author: false }));
  const inputs = uids.map((user) => ({ id: `${obs}:validation:${user}`, digest: digest() }));
  return { ...example('consensus-unnamed'), _id: `${obs}:consensus`, grade: 'needs_review', votes, inputs };
}

after(async () => {
  for (const { login } of Object.values(people)) {
    const { json, status } = await call('GET', `/_users/org.couchdb.user:${login}`);
    if (status === 200) await call('DELETE', `/_users/org.couchdb.user:${login}?rev=${json._rev}`);
  }
});

test('init_makes_everything_once', async () => {
  const dry = await linnet(['init', '--dry-run', '--json']);
  assert.equal(dry.code, 0, dry.err);
  assert.ok(dry.json.changed >= 12);
  for (const name of DATABASES) assert.equal((await call('GET', `/${name}`)).status, 404, 'a dry run made something');

  const login = `worker-${run}`;
  const first = await linnet(['init', '--worker', login, '--json']);
  assert.equal(first.code, 0, first.err);
  people.worker = { login, as: `${login}:${first.json.worker.password}` };
  assert.ok(first.json.changed >= dry.json.changed);
  const before = await Promise.all(DATABASES.map((name) => ok('GET', `/${name}/_all_docs`)));

  const again = await linnet(['init', '--worker', login]);
  assert.equal(again.code, 0, again.err);
  assert.match(again.out, /All is as it should be/);
  assert.deepEqual(await Promise.all(DATABASES.map((name) => ok('GET', `/${name}/_all_docs`))), before);

  const features = (await ok('GET', '/')).features;
  const { props } = await ok('GET', `/${MAIN}`);
  assert.equal(props.partitioned === true, features.includes('partitioned'));
  assert.match((await ok('GET', `/${OPS}/identity:database`)).uuid, /^[0-9a-f]{32}$/);
});

test('init_mends_what_differs_and_leaves_what_is_not_its_own', async () => {
  const door = await ok('GET', `/${MAIN}/_design/door`);
  await mustPut(MAIN, { ...door, validate_doc_update: 'function () {}', linnet: { digest: 'x' } });
  await mustPut(MAIN, { _id: '_design/old', language: 'javascript', views: {}, linnet: { digest: 'y' } });
  await mustPut(MAIN, { _id: '_design/theirs', language: 'javascript', views: {} });
  await ok('PUT', `/${OPS}/_security`, { body: { admins: {}, members: { names: [], roles: [] } } });
  const { code, json, err } = await linnet(['init', '--json']);
  assert.equal(code, 0, err);
  assert.deepEqual(json.steps.filter((step) => step.did !== 'unchanged').map((step) => `${step.did} ${step.name}`),
    [`changed ${MAIN}/_design/door`, `removed ${MAIN}/_design/old`, `changed ${OPS}`]);
  assert.equal((await ok('GET', `/${MAIN}/_design/door`)).validate_doc_update, door.validate_doc_update);
  assert.equal((await call('GET', `/${MAIN}/_design/theirs`)).status, 200);
});

test('init_says_what_is_wrong', async () => {
  const nobody = new URL(store); // not the admin with a wrong password: CouchDB locks an account after a few of those
  nobody.username = `nobody-${run}`;
  for (const url of [nobody.href, `http://127.0.0.1:1/`]) {
    const { code, err, out } = await linnet(['init', '--url', url]);
    assert.equal(code, 1);
    assert.match(err, /^linnet init: \S+/);
    assert.equal(out, '');
  }
  assert.equal((await linnet(['init', '--no-such-option'])).code, 2);
  assert.equal((await linnet(['init', '--couchapp', '/dev/null'])).code, 1);
});

test('users_are_made_listed_and_blocked', async () => {
  const ann = await person('ann');
  const bob = await person('bob', 'reviewer');
  assert.match(ann.uid, /^[a-z2-7]{26}$/);
  assert.notEqual(ann.uid, bob.uid);
  assert.equal((await linnet(['user', 'add', ann.login])).code, 1);
  assert.equal((await linnet(['user', 'add', 'a:b'])).code, 1);
  assert.equal((await linnet(['user', 'add', 'x', '--role', 'god'])).code, 2);
  assert.equal((await linnet(['user', 'add'])).code, 2);
  assert.equal((await linnet(['user', 'block', `nobody-${run}`])).code, 1);

  assert.equal((await linnet(['user', 'block', bob.login])).code, 0);
  const listed = (await linnet(['user', 'list', '--json'])).json.filter(({ name }) => name.endsWith(run));
  assert.deepEqual(listed, [{ name: ann.login, uid: ann.uid, role: 'observer', blocked: false }, { name: bob.login, uid: bob.uid, role: 'reviewer', blocked: true }]);
  assert.equal((await linnet(['user', 'unblock', bob.uid])).code, 0);
  assert.equal((await ok('GET', `/${REFERENCE}/reviewer:${bob.uid}`)).blocked, false);

  const session = await ok('GET', '/_session', { as: bob.as });
  assert.deepEqual(session.userCtx.roles.sort(), ['reviewer', `u:${bob.uid}`]);
});

test('a_password_may_come_from_a_file_or_go_to_one', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'linnet-admin-'));
  const file = path.join(folder, 'password');
  people.filed = { login: `filed-${run}` };
  const { code, out, err } = await linnet(['user', 'add', people.filed.login, '--password-file', file]);
  assert.equal(code, 0, err);
  const password = fs.readFileSync(file, 'utf8').trim();
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  assert.ok(password.length >= 20 && !out.includes(password));
  assert.equal((await ok('GET', '/_session', { as: `${people.filed.login}:${password}` })).userCtx.name, people.filed.login);
  people.typed = { login: `typed-${run}` };
  assert.equal((await linnet(['user', 'add', people.typed.login, '--password-file', '-'], { input: 'from stdin\n' })).code, 0);
  assert.equal((await ok('GET', '/_session', { as: `${people.typed.login}:from stdin` })).userCtx.name, people.typed.login);
  fs.rmSync(folder, { recursive: true });
});

test('the_doors_hold_against_everybody', async () => {
  const { ann, bob, worker } = people;
  const mine = observation(ann.uid);
  const obs = mine._id.split(':')[0];
  await mustPut(MAIN, mine, ann.as);
  await mustPut(MAIN, image(ann.uid, obs), ann.as);
  await mustPut(MAIN, validation(bob.uid, obs), bob.as);
  await mustPut(MAIN, consensus(obs, bob.uid), worker.as);
  await mustPut(OPS, { ...example('worker'), _id: `worker:${run}` }, worker.as);

  const refused = async (document, as, database = MAIN) => {
    const { status, text } = await put(database, document, as);
    assert.ok(status === 401 || status === 403, `${document._id} by ${as}: ${status} ${text}`);
  };
  await refused(observation(ann.uid), null);
  await refused(observation(ann.uid), bob.as);
  await refused(observation(ann.uid), worker.as);
  await refused(consensus(ulid(), ann.uid), ann.as);
  await refused({ ...observation(ann.uid), kind: 'image' }, ann.as);
  await refused({ ...observation(ann.uid), _id: `${ulid()}:other`, kind: 'other' }, ann.as);
  await refused({ ...observation(ann.uid), location: { decimalLatitude: 43.61234, decimalLongitude: 3.8 } }, ann.as);
  await refused({ ...observation(ann.uid), views: Array.from({ length: 10000 }, () => mine.views[0]) }, ann.as);
  await refused({ ...observation(ann.uid), note: 'x'.repeat(100000) }, ann.as);
  await refused({ ...observation(ann.uid), deep: JSON.parse('['.repeat(200) + ']'.repeat(200)) }, ann.as);
  await refused({ ...validation(ann.uid, obs), _id: `${ulid()}:validation:${bob.uid}` }, ann.as);
  await refused(example('taxon'), ann.as, REFERENCE);
  await refused(example('taxon'), worker.as, REFERENCE);
  const standing = await ok('GET', `/${REFERENCE}/reviewer:${ann.uid}`);
  await refused({ ...standing, role: 'admin' }, ann.as, REFERENCE);
  await refused({ ...example('retry') }, ann.as, OPS);
  for (const as of [null, ann.as]) assert.ok([401, 403].includes((await call('GET', `/${OPS}/_all_docs`, { as })).status));
  assert.equal((await call('GET', `/${MAIN}/${mine._id}`, { as: null })).status, 200);

  const { _rev } = await ok('GET', `/${MAIN}/${mine._id}`);
  for (const as of [null, bob.as]) assert.ok([401, 403].includes((await call('DELETE', `/${MAIN}/${mine._id}?rev=${_rev}`, { as })).status));
  assert.equal((await call('DELETE', `/${MAIN}/${mine._id}?rev=${_rev}`, { as: ann.as })).status, 200);
  await refused({ _id: '_design/mine', views: {} }, ann.as);
});

test('views_answer_in_the_store', async () => {
  const { ann, bob, worker } = people;
  const mine = observation(ann.uid);
  const obs = mine._id.split(':')[0];
  await mustPut(MAIN, mine, ann.as);
  await mustPut(MAIN, image(ann.uid, obs), ann.as);
  await mustPut(MAIN, consensus(obs, bob.uid), worker.as);
  const view = (name, query) => ok('GET', `/${MAIN}/_design/linnet/_view/${name}?${query}`, { as: null });
  const { rows } = await view('progress', `group=true&key=%22${obs}%22`);
  assert.deepEqual(rows, [{ key: obs, value: [1, 2, 1, 0, 0, 0, 1, 0] }]);
  assert.ok((await view('by_grade', 'group_level=1')).rows.some(({ key, value }) => key[0] === 'needs_review' && value >= 1));
  assert.equal((await view('needs_review', `reduce=false&key=%22${obs}%22`)).rows[0].value.votes, 1);
});

/* Everything that the three databases hold, as one text for each document. */
async function everything() {
  const texts = [];
  for (const name of DATABASES) {
    const { rows } = await ok('GET', `/${name}/_all_docs?include_docs=true&conflicts=true&attachments=true`);
    for (const { doc } of rows) {
      const files = Object.values(doc._attachments || {}).map(({ data }) => Buffer.from(data, 'base64').toString('latin1'));
      texts.push(JSON.stringify({ ...doc, _attachments: files }));
    }
  }
  return texts;
}

test('erase_leaves_nothing_of_a_person_and_everything_of_others', async () => {
  const carol = await person('carol', 'reviewer');
  const { bob, worker } = people;
  const hers = observation(carol.uid);
  const obs = hers._id.split(':')[0];
  const his = observation(bob.uid);
  const other = his._id.split(':')[0];
  await mustPut(MAIN, hers, carol.as);
  await mustPut(MAIN, image(carol.uid, obs), carol.as);
  await mustPut(MAIN, validation(bob.uid, obs), bob.as);
  await mustPut(MAIN, consensus(obs, bob.uid, carol.uid), worker.as);
  await mustPut(MAIN, { ...example('identification'), _id: `${obs}:identification` }, worker.as);
  await mustPut(MAIN, his, bob.as);
  await mustPut(MAIN, validation(carol.uid, other), carol.as);
  await mustPut(MAIN, validation(bob.uid, other), bob.as);
  await mustPut(MAIN, consensus(other, bob.uid, carol.uid), worker.as);
  await mustPut(REFERENCE, { ...example('skill'), _id: `skill:${carol.uid}`, user: carol.uid }, worker.as);
  await mustPut(REFERENCE, { ...example('skill'), _id: `skill:${bob.uid}`, user: bob.uid }, worker.as);
  await mustPut(OPS, { ...example('deadletter'), _id: `deadletter:normalize:${obs}:image:${digest()}`, id: `${obs}:image:${digest()}`, inputs: [] }, worker.as);
  await mustPut(OPS, { ...example('retry'), _id: `retry:consensus:${other}:validation:${carol.uid}`, id: `${other}:validation:${carol.uid}` }, worker.as);
  const manifest = `observation,image,organ,taxon,observer\n${obs},${digest()},leaf,taxon:x,${carol.uid}\n${other},${digest()},leaf,taxon:x,${bob.uid}\n`;
  await mustPut(OPS, { ...example('retraining'), _id: `retraining:schedule:${run}`,
    _attachments: { 'manifest.csv': { content_type: 'text/csv', data: Buffer.from(manifest).toString('base64') } } }, worker.as);
  const losing = { ...hers, _rev: '1-00000000000000000000000000000000', _revisions: { start: 1, ids: ['0'.repeat(32)] }, wild: false };
  assert.deepEqual(await ok('POST', `/${MAIN}/_bulk_docs`, { body: { new_edits: false, docs: [losing] } }), []);

  const dry = await linnet(['user', 'erase', carol.login, '--dry-run', '--json']);
  assert.equal(dry.code, 0, dry.err);
  assert.ok(dry.json.changed > 5);
  assert.equal((await call('GET', `/${MAIN}/${hers._id}`)).status, 200);

  const erased = await linnet(['user', 'erase', carol.login, '--json']);
  assert.equal(erased.code, 0, erased.err);
  assert.deepEqual(erased.json.left, []);
  for (const text of await everything()) {
    assert.ok(!text.includes(carol.uid), `still there: ${text}`);
    assert.ok(!text.includes(obs), `still there: ${text}`);
    assert.ok(!text.includes(carol.login), `still there: ${text}`);
  }
  for (const id of [his._id, `${other}:validation:${bob.uid}`]) assert.equal((await call('GET', `/${MAIN}/${id}`)).status, 200, id);
  assert.equal((await call('GET', `/${REFERENCE}/skill:${bob.uid}`)).status, 200);
  const { text } = await call('GET', `/${OPS}/retraining:schedule:${run}/manifest.csv`);
  assert.deepEqual(text.split('\n').map((line) => line.split(',')[0]), ['observation', other, '']);
  assert.equal((await call('GET', '/_session', { as: carol.as })).status, 401);
  assert.equal((await call('GET', `/_users/org.couchdb.user:${carol.login}`)).status, 404);

  const purges = erased.json.steps.some(({ what, did }) => what === 'tombstones' && did === 'removed');
  const features = (await ok('GET', '/')).features;
  assert.equal(purges, features.includes('partitioned'), 'CouchDB purges, the embedded store cannot');
  if (purges) assert.ok(!(await call('GET', `/${MAIN}/_changes`)).text.includes(obs));
  const again = await linnet(['user', 'erase', carol.uid]);
  assert.equal(again.code, 1);
  assert.match(again.err, /nothing of such a uid/);
});

test('tombstones_are_purged_once_the_workers_have_read_of_the_deletion', async () => {
  const { worker } = people;
  const share = { ...example('share'), _id: 'share:images:07', checkpoint: (await ok('GET', `/${MAIN}/_changes?limit=1`)).last_seq };
  share.checkpoint = String(share.checkpoint);
  await mustPut(OPS, share, worker.as);
  const step = ({ json }) => json.steps.find(({ what }) => what === 'tombstones');

  const dan = await person('dan');
  await mustPut(MAIN, observation(dan.uid), dan.as);
  const early = await linnet(['user', 'erase', dan.login, '--wait', '1', '--json']);
  assert.equal(early.code, 0, early.err);
  assert.match(step(early).note, /have not read of the deletions/);

  const eve = await person('eve');
  await mustPut(MAIN, observation(eve.uid), eve.as);
  const erasing = linnet(['user', 'erase', eve.login, '--wait', '60', '--json']);
  for (;;) {
    const { rows } = await ok('GET', `/${MAIN}/_design/people/_view/documents?group_level=1`);
    if (!rows.some(({ key }) => key[0] === eve.uid)) break; // deleted: now the worker reads of it
  }
  const { last_seq } = await ok('GET', `/${MAIN}/_changes`);
  const { _rev } = await ok('GET', `/${OPS}/${share._id}`);
  await mustPut(OPS, { ...share, _rev, checkpoint: String(last_seq) }, worker.as);
  const late = await erasing;
  assert.equal(late.code, 0, late.err);
  assert.doesNotMatch(step(late).note, /have not read/);
});
