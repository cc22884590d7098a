'use strict';
/* Poison is contained: pictures that crash, hang or end a stage's process become dead letters after they have killed it twice
 * (three times where it is not sure who did it), with the reason in words; every other picture gets its result, and none waits
 * longer than 30 seconds for it. */
const test = require('node:test');
const assert = require('node:assert');
const crypto = require('node:crypto');
const path = require('node:path');
const { Store, Worker, build, random, until } = require('./lib');

const long = { timeout: 600000 };
const NOW = '2026-05-03T10:21:00Z';
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/* An observation's ULID and its picture's document; the text is the picture. */
function picture(roll, text) {
  const obs = `01${[...Array(24)].map(() => alphabet[Math.floor(roll() * 32)]).join('')}`;
  const data = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), Buffer.from(`${obs} ${text}`)]);
  const digest = crypto.createHash('sha256').update(data).digest('hex');
  return { obs, id: `${obs}:image:${digest}`, result: `${obs}:survived:${digest}`,
    docs: [
      { _id: `${obs}:image:${digest}`, kind: 'image', observer: 'ann', created_at: NOW, _attachments: { original: { content_type: 'image/jpeg', data: data.toString('base64') } } },
      { _id: `${obs}:observation`, kind: 'observation', observer: 'ann', created_at: NOW, observed_at: NOW, views: [{ image: digest, organ: 'leaf', licence: 'CC-BY-4.0' }] },
    ] };
}

async function write(store, pictures) {
  const answer = await store.ask('POST', '/linnet/_bulk_docs', { docs: pictures.flatMap((one) => one.docs) });
  assert.equal(answer.status, 201, answer.text);
  assert.deepEqual(answer.json.filter((row) => row.error), []);
  for (const one of pictures) one.at = Date.now();
}

const config = { elsewhere: ['*'], lease: { term_ms: 6000 }, groups: { images: { stages: { crash: { config: { work_ms: 2 } } } } }, plugin_path: [path.join(build, 'test-plugins')] };

test('pictures_that_kill_become_dead_letters_and_nothing_else_waits', long, async () => {
  const roll = random(7), store = Store.start(), worker = new Worker(store, { config });
  try {
    store.must('init', '--quiet');
    worker.start();
    await worker.ready();
    const healthy = [], marked = {};
    for (let round = 0; round < 12; round++) {
      const now = [...Array(10)].map(() => picture(roll, 'a leaf'));
      const how = ['segv', 'reject', 'abort', 'exit', 'hang', 'thread'][round];
      const wave = [...now];
      if (how) wave.splice(5, 0, (marked[how] = picture(roll, `linnet-crash:${how};`)));
      await write(store, wave);
      healthy.push(...now);
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
    /* When did each healthy picture's result come? */
    let waiting = new Set(healthy);
    let worst = 0;
    const letters = () => store.documents('linnet-ops').then((all) => [...all.values()].filter((doc) => doc.kind === 'deadletter'));
    await until(() => `${waiting.size} results are missing\n${worker.tail()}`, async () => {
      const ids = new Set((await store.get('/linnet/_all_docs')).rows.map((row) => row.id));
      for (const one of waiting) if (ids.has(one.result)) { waiting.delete(one); worst = Math.max(worst, Date.now() - one.at); }
      return waiting.size === 0 && (await letters()).length === Object.keys(marked).length;
    }, 180000);
    assert.ok(worst < 30000, `a healthy picture waited ${worst} ms`);
    const found = Object.fromEntries(await letters().then((all) => all.map((doc) => [doc.id, doc])));
    for (const [how, one] of Object.entries(marked)) {
      const letter = found[one.id];
      assert.ok(letter, `no dead letter for ${how}`);
      assert.equal(letter.stage, 'crash');
      assert.match(letter.fingerprint, /^[0-9a-f]{64}$/);
      assert.deepEqual(letter.inputs.map((input) => input.id), [one.id]);
      assert.equal(letter.class, { reject: 'permanent', hang: 'deadline' }[how] || 'crash');
      assert.match(letter.reason, { segv: /signal 11/, abort: /signal 6/, exit: /exit status 3/, hang: /deadline of 4.0 s/, thread: /signal 11/, reject: /it asked for it/ }[how]);
      if (['segv', 'abort', 'hang'].includes(how)) assert.equal(letter.attempts, 2, `${how} killed ${letter.attempts} times`);
      if (['exit', 'thread'].includes(how)) assert.ok(letter.attempts <= 3, `${how} killed ${letter.attempts} times`);
    }
    /* Suspicion ends with success, even of a process that died before it could say so. */
    await until('no suspect is left', async () => ![...(await store.documents('linnet-ops')).keys()].some((id) => id.startsWith('suspect:')), 30000);
    console.log(`# the longest wait of a healthy picture: ${worst} ms`);

    /* Dead letters stay answered: a worker that starts anew does not try them again. */
    await worker.stop();
    worker.start();
    await worker.ready();
    const deaths = worker.lines().filter((line) => line.message === 'the child died').length;
    const last = [picture(roll, 'the last leaf')];
    await write(store, last);
    await until('the last result', async () => (await store.ask('GET', `/linnet/${last[0].result}`)).status === 200, 30000);
    assert.equal(worker.lines().filter((line) => line.message === 'the child died').length, deaths);
    const healthyLetters = Object.keys(found).filter((id) => !Object.values(marked).some((one) => one.id === id));
    assert.deepEqual(healthyLetters, []);
  } finally {
    await worker.stop();
    worker.remove();
    store.stop();
  }
});

test('a_kill_from_outside_blames_only_what_was_slow_and_that_the_third_time', long, async () => {
  const roll = random(8), store = Store.start(), worker = new Worker(store, { config });
  try {
    store.must('init', '--quiet');
    worker.start();
    await worker.ready();
    const healthy = [...Array(60)].map(() => picture(roll, 'a leaf')), slow = picture(roll, 'linnet-crash:kill;');
    await write(store, [...healthy, slow]);
    const letter = await until(() => `the dead letter\n${worker.tail()}`, async () => (await store.documents('linnet-ops')).get(`deadletter:crash:${slow.id}`), 90000);
    assert.equal(letter.attempts, 3);
    assert.match(letter.reason, /killed from outside/);
    await until('all results', async () => {
      const ids = new Set((await store.get('/linnet/_all_docs')).rows.map((row) => row.id));
      return healthy.every((one) => ids.has(one.result));
    }, 60000);
    await until('no suspect is left', async () => ![...(await store.documents('linnet-ops')).keys()].some((id) => id.startsWith('suspect:')), 30000);
    assert.deepEqual([...(await store.documents('linnet-ops')).keys()].filter((id) => id.startsWith('deadletter:')), [`deadletter:crash:${slow.id}`]);
  } finally {
    await worker.stop();
    worker.remove();
    store.stop();
  }
});
