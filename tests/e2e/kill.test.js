'use strict';
/* Nothing is lost and nothing is done twice when processes die: workers killed at random moments, members that join, die and
 * freeze, the store killed, while observations stream in. At the end every observation has each of its results once, equal to
 * those of a run that nobody disturbed. LINNET_KILL_OBSERVATIONS and LINNET_KILL_ROUNDS make it shorter or longer. */
const test = require('node:test');
const assert = require('node:assert');
const { Store, Worker, compare, draw, random, settled, submit, until, byKind } = require('./lib');

const observations = Number(process.env.LINNET_KILL_OBSERVATIONS || 500);
const rounds = Number(process.env.LINNET_KILL_ROUNDS || 20);
const seed = Number(process.env.LINNET_KILL_SEED || 20261123);
const long = { timeout: 900000 };
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
let samples, undisturbed;

/* A run of its own store: `disturb` gets to do its worst while observations stream in. */
async function play(disturb) {
  const store = Store.start();
  const workers = [];
  const open = (options) => { const worker = new Worker(store, options); workers.push(worker); return worker.start(); };
  try {
    store.setUp(samples);
    const worker = open();
    const streaming = submit(store, samples, { patient: true });
    await Promise.all([disturb({ store, worker, open }), streaming]);
    await settled(store, { expect: observations, worker: workers[0], timeoutMs: 300000 });
    store.must('consensus', 'settle', '--quiet'); /* figures may be off by the tolerance until then */
    return await settled(store, { expect: observations, worker: workers[0], timeoutMs: 300000 });
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
    for (const worker of workers) worker.remove();
    store.stop();
  }
}

function once(documents) {
  for (const kind of ['normalized', 'prediction']) {
    const again = byKind(documents, kind).filter((doc) => !doc._rev.startsWith('1-'));
    assert.deepEqual(again.map((doc) => doc._id), [], `${kind} written more than once`);
  }
}

test.before(async () => {
  samples = draw(observations);
  undisturbed = await play(async () => {});
  once(undisturbed);
});

test(`results_are_whole_after_${rounds}_kills_of_worker_and_child`, long, async () => {
  const roll = random(seed);
  const documents = await play(async ({ worker }) => {
    for (let round = 0; round < rounds; round++) {
      await pause(200 + roll() * 1500);
      if (roll() < 0.5) { await worker.kill(); worker.start(); } else worker.signalChild('SIGKILL');
    }
  });
  assert.deepEqual(compare(undisturbed, documents).slice(0, 10), []);
});

test('results_are_whole_when_members_join_die_and_freeze', long, async () => {
  const options = { config: { lease: { term_ms: 4000 } } };
  const documents = await play(async ({ open }) => {
    const second = open(options), third = open(options);
    await pause(3000);
    await second.kill();
    await pause(1000);
    const pid = third.childPid;
    third.signal('SIGSTOP');
    if (pid) process.kill(pid, 'SIGSTOP');
    await pause(9000); /* past its lease: the others take its shares */
    third.signal('SIGCONT');
    if (pid) process.kill(pid, 'SIGCONT');
  });
  assert.deepEqual(compare(undisturbed, documents).slice(0, 10), []);
});

test('results_are_whole_after_5_kills_of_the_store', long, async (t) => {
  const roll = random(seed + 1);
  const documents = await play(async ({ store }) => {
    if (!store.ours) return t.diagnostic('the store is not ours to kill');
    for (let round = 0; round < 5; round++) {
      await pause(500 + roll() * 2500);
      store.kill();
      await pause(roll() * 500);
      store.restart();
    }
  });
  assert.deepEqual(compare(undisturbed, documents).slice(0, 10), []);
});
