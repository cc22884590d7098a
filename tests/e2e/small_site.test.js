'use strict';
/* A small site, `linnet worker --serve`: the stages of the worker and the REST API are one process, and the network is in it once. */
const test = require('node:test');
const assert = require('node:assert');
const http = require('http');
const path = require('path');
const { Server, form, pictures } = require('./serve_lib');
const { Store, Worker, draw, freePort, modelFolder, program, run, settled, submit, until } = require('./lib');

const port = freePort();
const api = Object.assign(Object.create(Server.prototype), { url: `http://127.0.0.1:${port}`, port });
let store, worker, samples;

test.before(async () => {
  samples = draw(1, 9);
  store = Store.start();
  store.setUp(samples);
  worker = new Worker(store, { args: [`--serve=127.0.0.1:${port}`, '--json'], config: { supervisor: { backoff_ms: 20 } } }).start();
  await worker.ready();
  await answers();
});

test.after(async () => {
  if (worker) { await worker.stop(); worker.remove(); }
  if (store) store.stop();
});

const answers = () => until(() => `the API answers\n${worker.tail()}`, async () => { try { return (await api.ask('GET', '/readyz')).status === 200; } catch { return false; } });
const identify = () => {
  const rows = pictures(samples).filter((row) => row.trueTaxon);
  return api.identify('all', form(rows.flatMap((row) => [['images', { data: row.data }], ['organs', row.organ]])), '?no-reject=true');
};
const opened = (stage) => worker.lines().filter((line) => line.room === 'stage' && line.message === 'opened' && line.stage === stage);
const made = () => worker.lines().filter((line) => line.room === 'serve' && line.message === 'ready');

test('an_observation_by_the_feed_and_one_by_the_api_go_through_one_network', async () => {
  await submit(store, samples, { votes: false });
  const documents = await settled(store, { expect: 1, worker });
  const views = [...documents.values()].filter((document) => document.kind === 'prediction').length;
  assert.ok(views > 0);
  assert.equal(await worker.processed('convnet'), views);
  const answer = await identify();
  assert.equal(answer.status, 200, answer.text);
  assert.ok(answer.json.results.length > 0);
  /* The worker's stage has seen the pictures of the request; the API has none of its own. */
  assert.equal(await worker.processed('convnet'), 2 * views);
  const metrics = (await api.ask('GET', '/metrics')).text;
  assert.match(metrics, /linnet_stage_processed_total\{stage="fusion"\} 1\n/);
  assert.doesNotMatch(metrics, /stage="convnet"/);
  assert.equal(opened('convnet').length, 1);
  assert.ok(made().length > 0 && made().every((line) => line.shared === 'convnet'));
});

test('a_new_model_is_that_of_both', async () => {
  store.must('model', 'publish', path.join(modelFolder, 'flora-inception.onnx'), '--labels', path.join(modelFolder, 'labels.csv'),
    '--description', path.join(modelFolder, 'model.json'), '--model-version', '9.0.0', '--activate');
  await until(() => `the API has the new model\n${worker.tail()}`, async () => (await api.ask('GET', '/v2/_status')).json.model === 'flora-inception@9.0.0');
  const before = await worker.processed('convnet');
  const answer = await identify();
  assert.equal(answer.status, 200, answer.text);
  await until('the new stage has seen them', async () => (await worker.processed('convnet')) > before);
  assert.equal(opened('convnet').length, 2);
  assert.equal(made().at(-1).shared, 'convnet');
});

test('a_child_that_is_killed_comes_back_with_the_api', async () => {
  const old = worker.signalChild('SIGKILL');
  assert.ok(old > 0);
  await until('another child', () => worker.childPid !== 0 && worker.childPid !== old);
  await answers();
  assert.equal((await identify()).status, 200);
});

test('an_address_that_is_taken_ends_the_worker_with_words', async () => {
  const second = new Worker(store, { args: [`--serve=127.0.0.1:${port}`, '--json'] }).start();
  assert.deepEqual(await second.ended, { code: 1, signal: null }, second.tail());
  assert.match(second.tail(), /serve/);
  second.remove();
});

test('what_cannot_be_meant_is_refused', () => {
  const both = run(program, ['worker', '--once', '--serve'], { env: store.env });
  assert.equal(both.code, 2);
  assert.match(both.err, /--once/);
  worker.configure({ serve: { references: '/tmp' } });
  const folder = run(program, ['worker', '--config', worker.config], { env: store.env });
  assert.equal(folder.code, 2);
  assert.match(folder.err, /serve\.references/);
  worker.configure({ serve: { listen: 7 } });
  assert.match(run(program, ['worker', '--config', worker.config], { env: store.env }).err, /serve.*listen/);
});

test('who_waits_for_an_answer_gets_it_when_the_worker_ends', async () => {
  const open = async () => Number(/linnet_http_requests_open (\d+)/.exec((await api.ask('GET', '/metrics')).text)[1]);
  const before = await open(), [row] = pictures(samples), { headers, body } = form([['images', { data: row.data }]]);
  let answered;
  const answer = new Promise((resolve, reject) => {
    answered = http.request(`${api.url}/v2/identify/all?no-reject=true`, { method: 'POST', headers: { ...headers, 'content-length': body.length } }, (response) => { response.resume(); resolve(response.statusCode); });
    answered.on('error', reject);
  });
  answered.end(body);
  let over = false;
  answer.finally(() => { over = true; });
  await until('it has come', async () => over || (await open()) > before);
  worker.signal('SIGTERM');
  assert.equal(await answer, 200);
  assert.deepEqual(await worker.stop(), { code: 0, signal: null });
});
