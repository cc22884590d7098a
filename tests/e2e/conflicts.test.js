'use strict';
/* Offline edits replicated in: one deterministic result, and no losing leaf left. */
const test = require('node:test');
const assert = require('node:assert');
const crypto = require('crypto');
const { Store, Worker, byKind, draw, settled, submit, until } = require('./lib');

let store, worker, documents;
const long = { timeout: 120000 };

test.before(async () => {
  const samples = draw(10);
  store = Store.start();
  store.setUp(samples);
  worker = new Worker(store).start();
  await submit(store, samples);
  documents = await settled(store, { expect: 10, worker });
});

test.after(async () => {
  await worker.stop();
  worker.remove();
  store.stop();
});

/* Write two edits of a document as two phones that were offline would replicate them: both children of its present revision. */
async function replicate(id, ...edits) {
  const doc = await store.get(`/linnet/${id}`), [generation, parent] = doc._rev.split('-');
  const docs = edits.map((edit) => {
    const next = { ...doc, ...edit }, hash = crypto.createHash('md5').update(JSON.stringify(next)).digest('hex');
    const start = Number(generation) + 1;
    return { ...next, _rev: `${start}-${hash}`, _revisions: { start, ids: [hash, parent] } };
  });
  const answer = await store.ask('POST', '/linnet/_bulk_docs', { docs, new_edits: false });
  assert.ok(answer.status < 300, answer.text);
  assert.deepEqual((answer.json || []).filter((row) => row.error), []);
  return docs;
}

const leaves = async (id) => {
  const doc = await store.get(`/linnet/${id}?conflicts=true`);
  return 1 + (doc._conflicts || []).length;
};

test('of_two_edits_of_a_validation_the_latest_counts', long, async () => {
  const taxa = [...new Set(byKind(documents, 'validation').map((doc) => doc.taxon).filter(Boolean))];
  const validation = byKind(documents, 'validation').find((doc) => doc.taxon);
  const [a, b] = taxa.filter((taxon) => taxon !== validation.taxon);
  await replicate(validation._id, { taxon: a, created_at: '2026-11-01T10:00:00Z' }, { taxon: b, created_at: '2026-11-01T09:00:00Z' });
  const winner = await until('one leaf is left', async () => (await leaves(validation._id)) === 1 && store.get(`/linnet/${validation._id}`));
  assert.equal(winner.taxon, a);
  const obs = validation._id.slice(0, 26);
  await until('the consensus counts it', async () => (await store.get(`/linnet/${obs}:consensus`)).votes.some((vote) => vote.user === validation.user && vote.taxon === a));
});

test('two_edits_of_an_observation_keep_all_views_and_the_latest_of_each_field', long, async () => {
  const observation = byKind(documents, 'observation').find((doc) => doc.views.length >= 2);
  const [first, second] = observation.views;
  await replicate(observation._id,
    { views: [first], flora: 'flora:isles', updated_at: '2026-11-01T10:00:00Z' },
    { views: [second], wild: false, updated_at: '2026-11-01T09:00:00Z' });
  const merged = await until('one leaf is left', async () => (await leaves(observation._id)) === 1 && store.get(`/linnet/${observation._id}`));
  assert.deepEqual(merged.views.map((view) => view.image).sort(), [first.image, second.image].sort());
  assert.equal(merged.flora, 'flora:isles');
  const obs = observation._id.slice(0, 26);
  await until('it is identified from both', async () => (await store.get(`/linnet/${obs}:identification`)).views.used === 2);
});

test('a_validation_against_a_withdrawal_leaves_one_leaf', long, async () => {
  const validation = byKind(documents, 'validation').at(-1);
  await replicate(validation._id, { _deleted: true }, { vote: 'cannot-tell', taxon: undefined, created_at: '2026-11-02T10:00:00Z' });
  await until('one leaf is left', async () => {
    const answer = await store.ask('GET', `/linnet/${validation._id}?conflicts=true`);
    return answer.status === 200 && !answer.json._conflicts;
  });
});
