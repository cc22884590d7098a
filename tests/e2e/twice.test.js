'use strict';
/* No work is done twice: after a restart with the checkpoints deleted, after a new model and back. */
const test = require('node:test');
const assert = require('node:assert');
const path = require('path');
const { Store, Worker, byKind, compare, draw, modelFolder, settled, submit, until } = require('./lib');

const observations = 30, stages = ['normalize', 'convnet', 'fusion'];
let store, worker, samples, first;

test.before(async () => {
  samples = draw(observations);
  store = Store.start();
  store.setUp(samples);
  worker = new Worker(store).start();
  await submit(store, samples);
  first = await settled(store, { expect: observations, worker });
});

test.after(async () => {
  await worker.stop();
  worker.remove();
  store.stop();
});

async function deleteShares() {
  const shares = byKind(await store.documents('linnet-ops'), 'share');
  assert.ok(shares.length > 0);
  await store.ask('POST', '/linnet-ops/_bulk_docs', { docs: shares.map(({ _id, _rev }) => ({ _id, _rev, _deleted: true })) });
}

const counts = async () => Object.fromEntries(await Promise.all(stages.map(async (stage) => [stage, await worker.processed(stage)])));

test('a_restart_without_checkpoints_recomputes_nothing', async (t) => {
  const before = await counts();
  t.diagnostic(`items processed at first: ${JSON.stringify(before)}`);
  for (const stage of stages) assert.ok(before[stage] > 0, stage);
  await worker.stop();
  await deleteShares();
  worker.start();
  await worker.ready();
  const again = await settled(store, { expect: observations, worker });
  const after = await counts();
  t.diagnostic(`after the restart: ${JSON.stringify(after)}`);
  assert.deepEqual(after, { normalize: 0, convnet: 0, fusion: 0 });
  assert.deepEqual(compare(first, again), []);
  for (const [id, doc] of again) if (['normalized', 'prediction', 'identification'].includes(doc.kind)) assert.equal(doc._rev, first.get(id)._rev, id);
});

test('a_new_model_is_backfilled_while_fresh_observations_overtake_and_going_back_computes_nothing', async (t) => {
  const publish = (version) => store.must('model', 'publish', path.join(modelFolder, 'flora-inception.onnx'), '--labels', path.join(modelFolder, 'labels.csv'),
    '--description', path.join(modelFolder, 'model.json'), '--model-version', version);
  const active = JSON.parse(store.must('reference', 'get', 'wanted:convnet', '--json').out).model, name = active.split('@')[0];
  publish('9.0.0');
  const dry = store.must('model', 'activate', `${name}@9.0.0`, '--policy', 'backfill', '--dry-run').out;
  t.diagnostic(dry.trim());
  assert.match(dry, /would/);
  store.must('model', 'activate', `${name}@9.0.0`, '--policy', 'backfill');
  const fresh = draw(5, 77);
  await submit(store, fresh, { votes: false });
  await until('every picture has a prediction of the new model', async () => {
    const documents = await store.documents(), pictures = byKind(documents, 'normalized').length;
    return byKind(documents, 'prediction').filter((doc) => doc.model === `${name}@9.0.0`).length === pictures;
  }, 120000);
  await settled(store, { worker });
  const openings = () => worker.lines().filter((line) => line.message === 'opened' && line.stage === 'convnet').length;
  const before = await worker.processed('convnet'), opened = openings();
  store.must('model', 'activate', active);
  await until('the worker takes the model back', () => openings() > opened);
  const documents = await settled(store, { worker });
  assert.equal(await worker.processed('convnet'), before, 'going back ran the model');
  assert.ok(byKind(documents, 'prediction').some((doc) => doc.model === active));
});
