'use strict';
/* The main job on real input: observations with photographs and validations go in, identifications and consensus come out, enough
 * new consensus raises one request for retraining; what is shown is true to the documents. */
const test = require('node:test');
const assert = require('node:assert');
const { Store, Worker, byKind, draw, settled, submit, until } = require('./lib');

const observations = 40;
let store, worker, documents;

test.before(async () => {
  const samples = draw(observations);
  store = Store.start();
  store.setUp(samples);
  worker = new Worker(store, { config: { groups: {
    images: { stages: { normalize: {}, convnet: {}, fusion: {} } },
    community: { stages: { consensus: {}, retrain: { config: { new_valid: 3, species: 0, agreement: 0 } } } },
  } } }).start();
  await submit(store, samples);
  documents = await settled(store, { expect: observations, worker });
});

test.after(async () => {
  await worker.stop();
  worker.remove();
  store.stop();
});

test('every_view_is_normalized_and_predicted_and_every_observation_identified', () => {
  for (const observation of byKind(documents, 'observation')) {
    const obs = observation._id.slice(0, 26), identification = documents.get(`${obs}:identification`);
    assert.deepEqual(identification.views, { used: observation.views.length, of: observation.views.length });
    assert.ok(identification.species.length > 0);
    for (const view of observation.views) {
      const normalized = documents.get(`${obs}:normalized:${view.image}`);
      assert.deepEqual(Object.keys(normalized._attachments).sort(), ['model.jpg', 'page.jpg', 'thumb.jpg']);
    }
  }
});

test('results_say_what_they_are_made_of', () => {
  for (const kind of ['normalized', 'prediction', 'identification', 'consensus']) {
    for (const doc of byKind(documents, kind)) {
      assert.match(doc.stage.fingerprint, /^[0-9a-f]{64}$/, doc._id);
      assert.match(doc.digest, /^[0-9a-f]{64}$/, doc._id);
      assert.ok(doc.inputs.length > 0, doc._id);
      for (const input of doc.inputs) assert.ok(documents.has(input.id), `${doc._id} is made of ${input.id}`);
    }
  }
});

test('votes_make_a_consensus_and_its_weights_are_learnt', async () => {
  const consensuses = byKind(documents, 'consensus'), valid = consensuses.filter((doc) => doc.valid);
  assert.equal(consensuses.length, observations);
  assert.ok(valid.length >= 3, `${valid.length} valid`);
  for (const doc of valid) assert.ok(doc.confidence >= 2 && doc.accuracy > 2 / 3, doc._id);
  const skills = byKind(await store.documents('linnet-reference'), 'skill');
  assert.ok(skills.length > 0);
});

test('enough_new_valid_observations_raise_one_request_with_a_manifest', async () => {
  const raised = await until('a request for retraining', async () => {
    const all = byKind(await store.documents('linnet-ops'), 'retraining');
    return all.length ? all : null;
  });
  assert.equal(raised.length, 1);
  assert.equal(raised[0].rule, 'new_valid');
  const manifest = await store.ask('GET', `/linnet-ops/${encodeURIComponent(raised[0]._id)}/manifest.csv`);
  assert.match(manifest.text, /^observation,image,organ,taxon,scientificName,observer\n/);
  assert.equal(manifest.text.trim().split('\n').length - 1, raised[0].counts.images);
});

test('list_show_and_status_tell_it', () => {
  const rows = JSON.parse(store.must('list', '--json').out);
  assert.equal(rows.length, observations);
  const table = store.must('list').out.trim().split('\n');
  assert.equal(table.length, observations + 1);
  const one = rows.find((row) => row.consensus.valid);
  const story = store.must('show', one.observation).out;
  assert.match(story, /identification: /);
  assert.match(story, /consensus: .*valid/);
  const status = JSON.parse(store.must('status', '--json').out);
  assert.equal(status.deadletters, 0);
  assert.equal(status.groups_without_worker, 0);
});

test('a_deleted_observation_leaves_nothing_behind', async () => {
  const obs = byKind(documents, 'observation')[0]._id.slice(0, 26), doc = await store.get(`/linnet/${obs}:observation`);
  const answer = await store.ask('DELETE', `/linnet/${obs}:observation?rev=${doc._rev}`);
  assert.equal(answer.status, 200, answer.text);
  await until(`nothing of ${obs} is left`, async () => ![...(await store.documents()).keys()].some((id) => id.startsWith(obs)));
});

test('an_erased_user_leaves_no_personal_datum', async () => {
  const user = byKind(documents, 'validation')[0].user;
  const done = store.linnet('user', 'erase', user);
  assert.equal(done.code, 0, done.out + done.err);
  await until(`nothing says ${user}`, async () => {
    for (const database of ['linnet', 'linnet-reference', 'linnet-ops']) {
      for (const [id, doc] of await store.documents(database)) if (JSON.stringify([id, doc]).includes(user)) return false;
    }
    return true;
  }, 30000);
});
