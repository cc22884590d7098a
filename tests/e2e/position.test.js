'use strict';
/* An app that forgot to cut the position out of its pictures: the worker replaces them before anything is made of them. */
const test = require('node:test');
const assert = require('node:assert');
const crypto = require('crypto');
const fs = require('fs');
const path = require('path');
const { Store, Worker, draw, until } = require('./lib');

const long = { timeout: 120000 };
const obs = '01KQHST0000000000000000001';
let store, worker, user, picture, digest;

async function as(method, where, body) {
  const url = new URL(where.replace(/^\/linnet/, `/${store.prefix}`), store.url.origin);
  const authorization = `Basic ${Buffer.from(`${user.name}:${user.password}`).toString('base64')}`;
  return fetch(url, { method, headers: { authorization, 'content-type': 'application/json' }, body: JSON.stringify(body) });
}

const image = (extra) => ({ _id: `${obs}:image:${digest}`, kind: 'image', observer: user.uid, created_at: '2026-11-01T10:00:00Z',
  _attachments: { original: { content_type: 'image/jpeg', data: picture.toString('base64') } }, ...extra });

const gps = (bytes) => {
  const at = bytes.indexOf('Exif\0\0');
  return at >= 0 && (bytes.indexOf(Buffer.from([0x88, 0x25]), at) >= 0 || bytes.indexOf(Buffer.from([0x25, 0x88]), at) >= 0);
};

test.before(async () => {
  const samples = draw(6, 5);
  const rows = fs.readFileSync(path.join(samples, 'observations.csv'), 'utf8').trim().split('\n');
  const column = rows[0].split(',').indexOf('image');
  const files = rows.slice(1).map((row) => fs.readFileSync(path.join(samples, row.split(',')[column])));
  picture = files.find((bytes) => gps(bytes));
  assert.ok(picture, 'one of the samples tells where it was taken');
  digest = crypto.createHash('sha256').update(picture).digest('hex');
  store = Store.start();
  store.setUp(samples);
  user = { name: `forgetful${process.pid}`, ...JSON.parse(store.must('user', 'add', `forgetful${process.pid}`, '--role', 'observer', '--json').out) };
  worker = new Worker(store).start();
  await worker.ready();
});

test.after(async () => {
  await worker.stop();
  worker.remove();
  store.linnet('user', 'erase', user.uid, '--wait', '0');
  store.stop();
});

test('an_observer_may_not_say_that_a_picture_was_stripped', long, async () => {
  const answer = await as('PUT', `/linnet/${obs}:image:${digest}`, image({ stripped: { digest } }));
  assert.equal(answer.status, 403, await answer.text());
});

test('a_picture_that_tells_its_place_is_replaced_and_identified', long, async () => {
  const observation = { _id: `${obs}:observation`, kind: 'observation', observer: user.uid, created_at: '2026-11-01T10:00:00Z',
    observed_at: '2026-11-01T09:00:00Z', views: [{ image: digest, organ: 'auto' }] };
  const answers = await (await as('POST', '/linnet/_bulk_docs', { docs: [image(), observation] })).json();
  assert.deepEqual(answers.filter((row) => row.error), []);
  const documents = await until(() => `the picture is identified\n${worker.tail()}`, async () => {
    const all = await store.documents();
    return all.has(`${obs}:identification`) && all;
  });
  const now = documents.get(`${obs}:image:${digest}`);
  const response = await fetch(new URL(`/${store.prefix}/${obs}:image:${digest}/original`, store.url.origin), {
    headers: { authorization: `Basic ${Buffer.from(`${user.name}:${user.password}`).toString('base64')}` } });
  const bytes = Buffer.from(await response.arrayBuffer());
  assert.equal(gps(bytes), false);
  assert.equal(now.stripped.digest, crypto.createHash('sha256').update(bytes).digest('hex'));
  assert.equal(now.observer, user.uid);
  assert.ok(bytes.length < picture.length && bytes.length > picture.length / 2);
  assert.ok(now._rev.startsWith('2-'));
  assert.ok(documents.get(`${obs}:normalized:${digest}`)._rev.startsWith('1-'), 'normalized once, from the stripped picture');
});
