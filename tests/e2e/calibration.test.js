'use strict';
/* How sure the answers are: a model published with held-out pictures, and sets of species that hold the truth as often as they say. */
const test = require('node:test');
const assert = require('node:assert');
const fs = require('fs');
const path = require('path');
const { Server, draw, form, pictures } = require('./serve_lib');
const { Store, modelFolder } = require('./lib');

let store, server, held, fresh, document, published;

test.before(async () => {
  held = draw(240, 71, ['--split', 'validation', '--plain']);
  fresh = pictures(draw(60, 72, ['--plain']));
  store = Store.start();
  store.must('init', '--quiet');
  store.must('reference', 'load', '--quiet', path.join(held, 'backbone/taxa.jsonl'), path.join(held, 'backbone/floras.jsonl'));
  published = JSON.parse(store.must('model', 'publish', path.join(modelFolder, 'flora-inception.onnx'), '--labels', path.join(modelFolder, 'labels.csv'),
    '--description', path.join(modelFolder, 'model.json'), '--held-out', path.join(held, 'observations.csv'), '--activate', '--json').out.split('\n')[0]);
  document = await store.get('/linnet-reference/model:flora-inception@0.1.0');
  server = new Server({ store }).start();
  await server.ready();
});

test.after(async () => {
  if (server) await server.stop();
  if (store) store.stop();
});

/* Pictures of one observation, asked together. */
const observations = () => [...Map.groupBy ? Map.groupBy(fresh, (row) => row.observation).values() : fresh.reduce((all, row) => all.set(row.observation, [...(all.get(row.observation) || []), row]), new Map()).values()];
const ask = (rows, query, project = 'all') => server.identify(project, form(rows.map((row) => ['images', { data: row.data }])), `?no-reject=true${query.includes('include') ? '' : '&include-uncertainty=true'}${query}`);
const ids = (answer) => answer.json.uncertainty.species.map((one) => one.species.scientificNameWithoutAuthor);

test('the_temperature_and_the_thresholds_are_kept_with_the_model', () => {
  const { calibration, uncertainty, labels } = document;
  assert.deepEqual(published.calibration, calibration);
  assert.ok(calibration.temperature > 0.2 && calibration.temperature < 2, JSON.stringify(calibration));
  assert.equal(calibration.temperature_before, JSON.parse(fs.readFileSync(path.join(modelFolder, 'model.json'))).calibration.temperature);
  assert.ok(calibration.error >= 0 && calibration.error < 0.25 && calibration.error_before < 0.3 && calibration.pictures > 200);
  assert.equal(uncertainty.prevalence.length, labels.length);
  assert.ok(Math.abs(uncertainty.prevalence.reduce((sum, one) => sum + one, 0) - 1) < 1e-6);
  for (const scope of ['anywhere', 'flora']) {
    assert.ok(uncertainty[scope].observations > 120);
    for (const kind of ['plain', 'balanced']) {
      const levels = uncertainty[scope][kind];
      assert.equal(levels.length, 50);
      assert.deepEqual(levels, [...levels].sort((a, b) => b - a)); /* surer sets are larger */
      assert.ok(levels[0] > 0);
    }
  }
});

test('sets_of_fresh_observations_hold_the_truth', async () => {
  const size = { plain: 0, balanced: 0 }, holds = { plain: 0, balanced: 0 };
  const all = observations();
  for (const rows of all) {
    for (const kind of ['plain', 'balanced']) {
      const answer = await ask(rows, `&uncertainty-kind=${kind}`);
      assert.equal(answer.status, 200, answer.text);
      const { uncertainty, results } = answer.json;
      assert.equal(uncertainty.probability, 0.9);
      assert.equal(uncertainty.scope, 'anywhere');
      assert.equal(ids(answer)[0], results[0].species.scientificNameWithoutAuthor);
      size[kind] += uncertainty.species.length;
      holds[kind] += !uncertainty.complete || ids(answer).includes(rows[0].scientificName);
    }
  }
  /* 60 observations: four standard deviations below nine of ten. */
  for (const kind of ['plain', 'balanced']) assert.ok(holds[kind] / all.length > 0.74, `${kind}: ${holds[kind]} of ${all.length}`);
  assert.ok(size.plain / all.length < 40 && size.plain >= all.length, JSON.stringify(size));
});

test('surer_sets_are_larger_and_share_an_ancestor', async () => {
  for (const rows of observations().slice(0, 8)) {
    const small = await ask(rows, '&uncertainty-probability=0.5'), large = await ask(rows, '&uncertainty-probability=0.95');
    for (const name of ids(small)) assert.ok(ids(large).includes(name));
    for (const answer of [small, large]) {
      const { species, ancestor, complete } = answer.json.uncertainty;
      if (species.length < 2 || !complete) { assert.equal(ancestor, null); continue; }
      if (ancestor && ancestor.rank === 'genus') for (const one of species) assert.equal(one.species.genus.scientificNameWithoutAuthor, ancestor.scientificNameWithoutAuthor);
      if (ancestor && ancestor.rank === 'family') for (const one of species) assert.equal(one.species.family.scientificNameWithoutAuthor, ancestor.scientificNameWithoutAuthor);
      const genera = new Set(species.map((one) => one.species.genus.scientificNameWithoutAuthor));
      if (genera.size === 1) assert.equal(ancestor.rank, 'genus');
    }
  }
});

test('within_a_flora_its_own_thresholds_hold', async () => {
  const rows = observations()[0], answer = await ask(rows, '', rows[0].flora.replace('flora:', ''));
  assert.equal(answer.json.uncertainty.scope, 'flora');
  assert.equal(answer.json.uncertainty.observations, document.uncertainty.flora.observations);
});

test('what_cannot_be_promised_is_refused', async () => {
  for (const query of ['&uncertainty-probability=0.999', '&uncertainty-probability=0.3', '&uncertainty-probability=nan', '&uncertainty-probability=0.9x', '&uncertainty-probability=', '&uncertainty-kind=best', '&include-uncertainty=perhaps']) {
    const answer = await ask(observations()[0], query);
    assert.equal(answer.status, 400, query);
    assert.match(answer.json.message, /uncertainty/);
  }
});

test('too_few_observations_do_not_calibrate', () => {
  const few = draw(6, 5), done = store.linnet('model', 'publish', path.join(modelFolder, 'flora-inception.onnx'), '--labels', path.join(modelFolder, 'labels.csv'), '--description', path.join(modelFolder, 'model.json'),
    '--model-version', '2', '--held-out', path.join(few, 'observations.csv'));
  assert.notEqual(done.status, 0);
  assert.match(done.err, /at least 150 observations/);
});
