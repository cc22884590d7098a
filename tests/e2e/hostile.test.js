'use strict';
/* Hostile input, written as an app's user would write it: every picture and every document of the corpus gets a result, a dead letter
 * that says why, or a refusal at the door. The worker's child stays the same process, its memory bounded, and good
 * observations are answered all the while. */
const test = require('node:test');
const assert = require('node:assert');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { Store, Worker, byKind, draw, flora, must, submit, until } = require('./lib');

const MEMORY_MIB = 1024; /* the largest picture that is let through has 36 megapixels of 6 bytes */
const long = { timeout: 600000 };
let store, worker, corpus, manifest, user, pid;

/* The time of a ULID does not matter here; its characters do. */
const ulid = (n) => `01KQHST${String(n).padStart(19, '0')}`;

/* What may come of an entry: where parsers may honestly differ there are two. */
const outcomes = (entry) => [entry.expected, entry.also].filter(Boolean);

async function as(method, where, body) {
  const url = new URL(where.replace(/^\/linnet/, `/${store.prefix}`), store.url.origin);
  const authorization = `Basic ${Buffer.from(`${user.name}:${user.password}`).toString('base64')}`;
  return fetch(url, { method, headers: { authorization, 'content-type': 'application/json' }, body });
}

test.before(async () => {
  const samples = draw(6, 5);
  store = Store.start();
  store.setUp(samples);
  user = JSON.parse(store.must('user', 'add', `stranger${process.pid}`, '--role', 'observer', '--json').out);
  user.name = user.name || `stranger${process.pid}`;
  corpus = fs.mkdtempSync(path.join(os.tmpdir(), 'linnet-hostile-'));
  must(flora, ['hostile', '--uid', user.uid, '--out', corpus]);
  manifest = JSON.parse(fs.readFileSync(path.join(corpus, 'manifest.json'), 'utf8'));
  worker = new Worker(store).start();
  await worker.ready();
  pid = worker.childPid;
  assert.ok(pid > 0);
});

test.after(async () => {
  await worker.stop();
  worker.remove();
  store.linnet('user', 'erase', user.uid, '--wait', '0');
  store.stop();
  fs.rmSync(corpus, { recursive: true, force: true });
});

test('every_picture_gets_a_result_or_a_dead_letter_that_says_why', long, async (t) => {
  const pictures = manifest.filter((entry) => entry.kind === 'picture'), taken = [];
  for (const [n, picture] of pictures.entries()) {
    const obs = ulid(n), data = fs.readFileSync(path.join(corpus, picture.file)).toString('base64');
    const image = { _id: `${obs}:image:${picture.digest}`, kind: 'image', observer: user.uid, created_at: '2026-11-01T10:00:00Z', _attachments: { original: { content_type: picture.content_type, data } } };
    const observation = { _id: `${obs}:observation`, kind: 'observation', observer: user.uid, created_at: '2026-11-01T10:00:00Z', observed_at: '2026-11-01T09:00:00Z', views: [{ image: picture.digest, organ: 'auto' }] };
    const answer = await (await as('POST', '/linnet/_bulk_docs', JSON.stringify({ docs: [image, observation] }))).json();
    if (answer.some((row) => row.error)) {
      assert.notEqual(picture.expected, 'ok', `${picture.file}: ${JSON.stringify(answer)}`);
      assert.ok(answer.find((row) => row.error).reason.length > 5, picture.file);
    } else taken.push({ ...picture, obs });
  }
  const good = draw(3, 99), begin = Date.now();
  await submit(store, good, { votes: false });
  const fresh = fs.readFileSync(path.join(good, 'observations.csv'), 'utf8').trim().split('\n').slice(1).map((line) => line.split(',')[0]);
  await until('good observations between hostile ones are answered', async () => {
    const documents = await store.documents();
    return fresh.every((obs) => documents.get(`${obs}:identification`));
  }, 60000);
  t.diagnostic(`good observations were answered ${((Date.now() - begin) / 1000).toFixed(1)} s after ${taken.length} hostile pictures were written`);
  const state = async () => {
    const documents = await store.documents(), letters = await store.documents('linnet-ops');
    return taken.map((picture) => {
      const id = `${picture.obs}:image:${picture.digest}`;
      const letter = [...letters.values()].find((doc) => doc.kind === 'deadletter' && doc.id === id);
      return { picture, letter, done: documents.has(`${picture.obs}:normalized:${picture.digest}`), named: documents.has(`${picture.obs}:identification`) };
    });
  };
  const waits = (rows) => rows.filter((row) => !row.letter && !(row.done && row.named)).map((row) => row.picture.file);
  let last = [];
  const rows = await until(() => `answers; missing: ${last.join(' ')}\n${worker.tail(5)}`, async () => { const now = await state(); last = waits(now); return last.length === 0 && now; }, 240000);
  const wrong = rows.filter((row) => !outcomes(row.picture).includes(row.done ? 'ok' : 'reject')).map((row) => `${row.picture.file}: expected ${row.picture.expected}, ${row.letter ? row.letter.reason : 'got a result'}`);
  assert.deepEqual(wrong, []);
  for (const row of rows) if (row.letter) assert.ok(row.letter.reason.length > 15 && row.letter.class === 'permanent', `${row.picture.file}: ${row.letter.class}: ${row.letter.reason}`);
  t.diagnostic(`${rows.length} pictures: ${rows.filter((row) => row.done).length} results, ${rows.filter((row) => row.letter).length} dead letters; ${pictures.length - taken.length} refused at the door`);
});

test('every_document_is_taken_refused_at_the_door_or_a_dead_letter', long, async (t) => {
  const wrong = [], counts = {};
  for (const entry of manifest.filter((one) => one.kind === 'document')) {
    const response = await as('PUT', `/linnet/${encodeURIComponent(entry.id)}`, fs.readFileSync(path.join(corpus, entry.file)));
    const taken = response.status < 300, text = await response.text();
    counts[response.status] = (counts[response.status] || 0) + 1;
    if (!outcomes(entry).some((outcome) => (outcome !== 'forbidden') === taken)) wrong.push(`${entry.file}: expected ${entry.expected}, ${response.status} ${text.slice(0, 120)}`);
  }
  t.diagnostic(`by status: ${JSON.stringify(counts)}`);
  assert.deepEqual(wrong, []);
  await settledFor(entryIds('reject'));
});

const entryIds = (expected) => manifest.filter((entry) => entry.kind === 'document' && entry.expected === expected).map((entry) => entry.id);

/* A rejected image has no observation of its own here, so that nothing is due for it until one comes: make it. */
async function settledFor(ids) {
  for (const id of ids) {
    const [obs, , digest] = id.split(':');
    const observation = { _id: `${obs}:observation`, kind: 'observation', observer: user.uid, created_at: '2026-11-01T10:00:00Z', observed_at: '2026-11-01T09:00:00Z', views: [{ image: digest, organ: 'auto' }] };
    const answer = await (await as('POST', '/linnet/_bulk_docs', JSON.stringify({ docs: [observation] }))).json();
    assert.ok(answer[0].ok || answer[0].error === 'conflict', JSON.stringify(answer));
  }
  await until(`dead letters of ${ids.join(' ')}`, async () => {
    const letters = byKind(await store.documents('linnet-ops'), 'deadletter').map((letter) => letter.id);
    return ids.every((id) => letters.includes(id));
  }, 60000);
}

test('the_child_is_the_same_and_its_memory_was_bounded', long, (t) => {
  const peak = Number(/VmHWM:\s+(\d+) kB/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
  t.diagnostic(`the child's memory was ${peak.toFixed(0)} MiB at most`);
  assert.equal(worker.childPid, pid);
  assert.ok(peak < MEMORY_MIB, `${peak} MiB`);
});
