'use strict';
/* Search by similar picture: what the index of `linnet serve` knows, as consensus changes, is saved, lost and damaged. */
const test = require('node:test');
const assert = require('node:assert');
const fs = require('fs');
const path = require('path');
const { Server, draw, form, pictures } = require('./serve_lib');
const { Store, Worker, settled, submit, until } = require('./lib');

let store, server, rows, valid, cache;

const body = (row) => form([['images', { data: row.data }]]);
const config = () => ({ cache_dir: cache, similar: { save_s: 1 } });

async function known(one = server) { return Number(/^linnet_similar_pictures(?:\{\})? (\d+)/m.exec((await one.ask('GET', '/metrics')).text)?.[1] ?? -1); }
const knows = (count, one = server) => until(async () => `${count} pictures are known, not ${await known(one)}\n${one.tail()}`, async () => (await known(one)) === count);
const saved = () => fs.existsSync(path.join(cache, 'similar')) ? fs.readdirSync(path.join(cache, 'similar')).filter((name) => name.endsWith('.index')).map((name) => path.join(cache, 'similar', name)) : [];

/* Consensus as a community would have found it: so the test does not hang on how a crowd votes. */
async function settle(row, change) {
  const consensus = await store.get(`/linnet/${row.observation}:consensus`);
  const answer = await store.ask('PUT', `/linnet/${row.observation}:consensus`, { ...consensus, ...change });
  assert.equal(answer.status, 201, answer.text);
}

test.before(async () => {
  const samples = draw(12, 77);
  store = Store.start();
  store.setUp(samples);
  const worker = new Worker(store).start();
  await submit(store, samples);
  const documents = await settled(store, { worker });
  await worker.stop();
  worker.remove();
  cache = fs.mkdtempSync(path.join(require('os').tmpdir(), 'linnet-similar-'));
  rows = pictures(samples).filter((row) => documents.has(`${row.observation}:consensus`));
  const digests = new Set(documents.keys());
  for (const [id, doc] of documents) if (doc.kind === 'consensus') await settle({ observation: id.slice(0, 26) }, { valid: false });
  const identified = (row) => documents.get(`${row.observation}:identification`)?.species?.[0];
  valid = [...new Map(rows.filter(identified).map((row) => [row.observation, row])).values()].slice(0, 6);
  assert.ok(valid.length >= 4 && digests.size > 0);
  for (const row of valid) await settle(row, { valid: true, not_a_plant: false, taxon: identified(row).taxon });
  for (const row of rows) row.views = documents.get(`${row.observation}:observation`).views.map((view) => view.image);
  server = new Server({ store, config: config() }).start();
  await server.ready();
});

test.after(async () => {
  if (server) await server.stop();
  if (store) store.stop();
  if (cache) fs.rmSync(cache, { recursive: true, force: true });
});

const count = (list) => list.reduce((sum, row) => sum + row.views.length, 0);

test('a_picture_finds_itself_and_others_by_species', async () => {
  await knows(count(valid));
  const { status, json, text } = await server.ask('POST', '/v2/similar', body(valid[0]));
  assert.equal(status, 200, text);
  assert.equal(json.indexedImages, count(valid));
  assert.equal(json.results[0].images[0].observation, valid[0].observation);
  assert.ok(json.results[0].distance < 0.01 && json.results[0].images[0].nearDuplicate);
  assert.ok(json.results[0].species.scientificName.length > 0);
  const images = json.results.flatMap((group) => group.images);
  assert.equal(images.length, count(valid));
  assert.equal(new Set(json.results.map((group) => group.taxon)).size, json.results.length);
  for (const group of json.results) for (const [i, image] of group.images.entries()) assert.ok(i === 0 || image.distance >= group.images[i - 1].distance);
  assert.equal((await fetch(images[0].url.m)).headers.get('content-type'), 'image/jpeg');
  const few = await server.ask('POST', '/v2/similar?nb-results=1', body(valid[1]));
  assert.equal(few.json.results.flatMap((group) => group.images).length, 1);
  const isles = await server.ask('POST', '/v2/similar/isles', body(valid[0]));
  const listed = new Set((await server.ask('GET', '/v2/projects/isles/species?pageSize=10000')).json.map((one) => one.id));
  assert.ok(isles.json.results.every((group) => listed.has(group.taxon)));
  assert.equal(isles.json.results.length, json.results.filter((group) => listed.has(group.taxon)).length);
});

test('what_cannot_be_asked_is_refused', async () => {
  assert.equal((await server.ask('POST', '/v2/similar/atlantis', body(valid[0]))).status, 404);
  assert.equal((await server.ask('POST', '/v2/similar?nb-results=0', body(valid[0]))).status, 400);
  assert.equal((await server.ask('POST', '/v2/similar?nothing=1', body(valid[0]))).status, 400);
  assert.equal((await server.ask('POST', '/v2/similar', form([['images', { data: Buffer.from('no picture') }]]))).status, 415);
  assert.equal((await server.ask('GET', '/v2/similar?images=http://example.org/a.jpg')).status, 403);
  assert.equal((await server.ask('GET', '/v2/duplicates?pageSize=0')).status, 400);
  const off = new Server({ store, config: { similar: { enabled: false } } }).start();
  await off.ready();
  assert.equal((await off.ask('POST', '/v2/similar', body(valid[0]))).status, 404);
  assert.equal((await off.ask('GET', '/v2/duplicates')).status, 404);
  await off.stop();
});

test('an_identification_comes_with_pictures_of_each_species', async () => {
  const { json, text } = await server.identify('all', body(valid[0]), '?include-related-images=true&no-reject=true&nb-results=20');
  assert.ok(json.results, text);
  const shown = json.results.flatMap((result) => result.images);
  assert.ok(shown.some((image) => image.observation === valid[0].observation && valid[0].views.includes(image.id)));
  assert.ok(shown.every((image) => typeof image.date.string === 'string' && image.citation.includes(' / ') && image.url.m), JSON.stringify(shown));
  const without = await server.identify('all', body(valid[0]), '?no-reject=true');
  assert.ok(without.json.results.every((result) => result.images.length === 0));
});

test('an_observation_of_the_store_comes_with_pictures_of_others_that_look_like_it', async () => {
  const { observation } = valid[0], { json, text } = await server.ask('GET', `/v2/observations/${observation}?include-related-images=true`);
  assert.ok(json.similar.length > 0 && json.similar.every((image) => image.taxon && image.observation !== observation && image.distance >= 0), text);
  assert.deepEqual(json.similar.map((image) => image.distance), json.similar.map((image) => image.distance).sort((a, b) => a - b));
  const taxa = new Set(json.identification.results.map((result) => result.taxon)), other = json.similar.find((image) => taxa.has(image.taxon));
  for (const { images = [] } of json.identification.results) assert.ok(images.every((image) => image.observation !== observation));
  if (other) assert.ok(json.identification.results.find((result) => result.taxon === other.taxon).images.some((image) => image.id === other.id));
  assert.equal((await server.ask('GET', `/v2/observations/${observation}`)).json.similar, undefined);
  assert.equal((await server.ask('GET', `/v2/observations/${observation}?include-related-images=perhaps`)).status, 400);
});

test('the_index_follows_the_consensus', async () => {
  await settle(valid[0], { valid: false });
  await knows(count(valid) - valid[0].views.length);
  const { json } = await server.ask('POST', '/v2/similar', body(valid[0]));
  assert.ok(json.results.flatMap((group) => group.images).every((image) => image.observation !== valid[0].observation));
  await settle(valid[0], { valid: true });
  await knows(count(valid));
});

test('the_same_picture_under_two_observations_is_reported', async () => {
  const from = valid[0], to = valid[1], twin = from.views[0];
  const prediction = [...(await store.documents()).values()].find((doc) => doc.kind === 'prediction' && doc.image === twin);
  const observation = await store.get(`/linnet/${to.observation}:observation`);
  const { _rev, ...copy } = prediction;
  assert.equal((await store.ask('PUT', `/linnet/${encodeURIComponent(prediction._id.replace(from.observation, to.observation))}`, { ...copy, _id: prediction._id.replace(from.observation, to.observation) })).status, 201);
  assert.equal((await store.ask('PUT', `/linnet/${to.observation}:observation`, { ...observation, views: [...observation.views, { image: twin, organ: 'auto' }] })).status, 201);
  await knows(count(valid) + 1);
  const { json, headers } = await server.ask('GET', '/v2/duplicates');
  const pair = json.find((one) => one.images.some((image) => image.observation === to.observation && image.id === twin));
  assert.ok(pair, JSON.stringify(json));
  assert.equal(Number(headers['x-total-count']), json.length);
  assert.ok(pair.sameBytes && pair.distance < 0.001);
  assert.deepEqual(pair.images.map((image) => image.observation).sort(), [from.observation, to.observation].sort());
  const told = (await server.ask('GET', `/v2/observations/${from.observation}?include-related-images=true`)).json.similar.find((image) => image.nearDuplicate);
  assert.deepEqual([told.observation, told.id], [to.observation, twin]);
  await store.ask('PUT', `/linnet/${to.observation}:observation`, { ...observation, _rev: (await store.get(`/linnet/${to.observation}:observation`))._rev });
  await knows(count(valid));
  assert.ok(_rev);
});

test('it_is_saved_and_read_again_and_a_damaged_file_is_made_anew', async () => {
  await until('it is saved', () => saved().length === 1 && server.lines().some((line) => line.room === 'similar' && line.message === 'saved'));
  await server.stop(); /* it saves again when more has come: not over what is damaged here */
  server = null;
  const [file] = saved();
  const restart = async () => {
    const other = new Server({ store, config: config() }).start();
    await other.ready();
    await knows(count(valid), other);
    const answer = await other.ask('POST', '/v2/similar', body(valid[2]));
    assert.equal(answer.json.results[0].images[0].observation, valid[2].observation);
    const said = other.lines().filter((line) => line.room === 'similar');
    await other.stop();
    return said;
  };
  assert.ok((await restart()).some((line) => line.message === 'opened'));
  const bytes = fs.readFileSync(file);
  for (const damaged of [bytes.subarray(0, bytes.length - 100), Buffer.concat([bytes.subarray(0, 5000), Buffer.from([bytes[5000] ^ 1]), bytes.subarray(5001)])]) {
    fs.writeFileSync(`${file}.damaged`, damaged);
    fs.renameSync(`${file}.damaged`, file);
    assert.ok((await restart()).some((line) => line.message === 'the index of pictures is made anew' && line.why.includes('damaged')));
  }
});
