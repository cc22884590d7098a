'use strict';
/* The REST API as programs ask it that were written for Pl@ntNet's, and as those ask who mean no good. Without a store. */
const test = require('node:test');
const assert = require('node:assert');
const { spawnSync } = require('child_process');
const fs = require('fs');
const http = require('http');
const net = require('net');
const path = require('path');
const { Server, curl, draw, form, pictures, references } = require('./serve_lib');
const malformed = require('./serve_malformed');
const { differences, flora, must, until } = require('./lib');

let server, samples, leaf, flower, observation;

test.before(async () => {
  samples = draw(6, 5);
  const all = pictures(samples);
  observation = all.filter((row) => row.observation === all[0].observation);
  [leaf, flower] = observation.length > 1 ? observation : all;
  server = new Server({ references: references(samples) }).start();
  await server.ready();
});

test.after(async () => { if (server) await server.stop(); });

const image = (row, filename) => ({ data: row.data, filename: filename ?? path.basename(row.file) });

/* What every answer to an identification must be like. */
function looksRight(body, { images = 1, project = 'all' } = {}) {
  assert.equal(body.query.project, project);
  assert.equal(body.query.images.length, images);
  assert.equal(body.query.organs.length, images);
  assert.equal(typeof body.query.includeRelatedImages, 'boolean');
  assert.equal(body.preferedReferential, project);
  assert.equal(body.language, 'en');
  assert.equal(body.version, 'flora-inception@0.1.0');
  assert.equal(body.bestMatch, body.results[0].species.scientificName);
  assert.equal(body.predictedOrgans.length, images);
  for (const organ of body.predictedOrgans) assert.ok(organ.image && typeof organ.filename === 'string' && organ.organ && organ.score > 0);
  let last = 1;
  for (const { score, species, gbif, powo, images: related } of body.results) {
    assert.ok(score <= last && score >= 0);
    last = score;
    assert.equal(species.scientificName, [species.scientificNameWithoutAuthor, species.scientificNameAuthorship].filter(Boolean).join(' '));
    assert.ok(species.scientificNameWithoutAuthor.startsWith(species.genus.scientificNameWithoutAuthor));
    assert.match(species.family.scientificNameWithoutAuthor, /aceae$/);
    assert.ok(Array.isArray(species.commonNames) && Array.isArray(related));
    assert.ok('id' in gbif && 'id' in powo);
  }
}

test('curl_gets_an_identification', () => {
  const answer = curl('-F', `images=@${leaf.file}`, '-F', `organs=${leaf.organ === 'habit' ? 'auto' : leaf.organ}`, '-F', `images=@${flower.file}`, '-F', 'organs=auto', `${server.url}/v2/identify/all?api-key=any`);
  assert.equal(answer.status, 200, answer.text);
  looksRight(answer.json, { images: 2 });
});

test('axios_with_form_data_gets_an_identification', async () => {
  const clients = path.join(__dirname, 'clients/node_modules');
  const axios = require(path.join(clients, 'axios')), FormData = require(path.join(clients, 'form-data'));
  const body = new FormData();
  body.append('organs', 'flower');
  body.append('images', fs.createReadStream(flower.file)); /* chunked: its length is not known */
  body.append('organs', 'auto');
  body.append('images', leaf.data, { filename: 'leaf.jpg' });
  const { status, data } = await axios.post(`${server.url}/v2/identify/all`, body, { headers: body.getHeaders() });
  assert.equal(status, 200);
  looksRight(data, { images: 2 });
  assert.deepEqual(data.query.organs, ['flower', 'auto']);
  const again = new FormData();
  again.append('images', leaf.data, { filename: 'leaf.jpg' });
  await assert.rejects(axios.post(`${server.url}/v2/identify/nowhere`, again), (error) => error.response.status === 404 && error.response.data.statusCode === 404);
});

test('python_requests_gets_an_identification', () => {
  const script = `
import json, requests, sys
files = [('images', (sys.argv[2], open(sys.argv[2], 'rb'))), ('images', (sys.argv[3], open(sys.argv[3], 'rb')))]
session = requests.Session()
req = requests.Request('POST', url=sys.argv[1] + '/v2/identify/all', params={'lang': 'en'}, files=files, data={'organs': ['flower', 'leaf']})
response = session.send(req.prepare())
print(json.dumps({'status': response.status_code, 'json': response.json()}))
`;
  const done = spawnSync('python3', ['-c', script, server.url, flower.file, leaf.file], { encoding: 'utf8' });
  assert.equal(done.status, 0, done.stderr);
  const { status, json } = JSON.parse(done.stdout);
  assert.equal(status, 200, done.stdout);
  looksRight(json, { images: 2 });
});

test('the_same_picture_gets_the_same_answer_and_options_shape_it', async () => {
  const body = form([['images', image(leaf)]]);
  const [one, two, some, french, all] = await Promise.all([server.identify('all', body), server.identify('all', body), server.identify('all', body, '?nb-results=2&detailed=true'), server.identify('all', body, '?lang=fr'), server.identify('k-world-flora', body, '?explain=true')]);
  assert.deepEqual(differences({ ...one.json, remainingIdentificationRequests: 0 }, { ...two.json, remainingIdentificationRequests: 0 }, 1e-4, ''), []);
  looksRight(one.json);
  assert.equal(some.json.results.length, 2);
  assert.ok(some.json.otherResults.genus.length >= 1 && some.json.otherResults.family[0].taxon.scientificName);
  assert.equal(french.json.language, 'fr');
  assert.equal(all.json.query.project, 'k-world-flora');
  assert.equal(all.json.explain.species[0].views[0].image, all.json.query.images[0]);
});

test('a_flora_restricts_the_answer_to_its_species', async () => {
  const project = observation[0].flora.replace('flora:', '');
  const answer = await server.identify(project, form([['images', image(leaf)]]), '?explain=true');
  assert.equal(answer.status, 200, answer.text);
  looksRight(answer.json, { project });
  assert.equal(answer.json.explain.flora, observation[0].flora);
  assert.ok(answer.json.explain.flora_removed >= 0);
});

test('a_taxon_is_found_by_the_name_that_somebody_types', async () => {
  const [{ species }] = (await server.identify('all', form([['images', image(leaf)]]))).json.results, name = species.scientificNameWithoutAuthor;
  const ask = async (query) => (await server.ask('GET', `/v2/taxa?pageSize=5&lang=en&query=${encodeURIComponent(query)}`)).json;
  const [genus, epithet] = name.split(' ');
  for (const query of [name, name.toUpperCase(), name.slice(0, -2), `${genus}  ${epithet.slice(0, 3)}${epithet.slice(4)}`]) {
    const found = await ask(query), one = found.find((taxon) => taxon.scientificNameWithoutAuthor === name);
    assert.ok(one, `${query}: ${JSON.stringify(found)}`);
    assert.deepEqual([one.rank, one.matched.kind, one.scientificNameAuthorship], ['species', 'accepted', species.scientificNameAuthorship]);
  }
  assert.equal((await ask(genus))[0].rank, 'genus');
  const [common] = species.commonNames;
  if (common) assert.ok((await ask(common)).some((taxon) => taxon.scientificNameWithoutAuthor === name && taxon.matched.kind === 'common'));
  assert.deepEqual(await ask('qqqqqqqqqqqq'), []);
  assert.equal((await server.ask('GET', '/v2/taxa')).status, 400);
});

test('what_is_no_plant_is_not_found_unless_nothing_is_to_be_rejected', async () => {
  const file = path.join(samples, 'nonplant.jpg');
  must(flora, ['picture', '--taxon', 'none', '--seed', '2', '--out', file]);
  const body = form([['images', { data: fs.readFileSync(file) }]]);
  const refused = await server.identify('all', body);
  assert.deepEqual(refused.json, { statusCode: 404, error: 'Not Found', message: 'Species not found' });
  assert.equal((await server.identify('all', body, '?no-reject=true')).status, 200);
});

test('projects_are_listed_nearest_first', async () => {
  const { json } = await server.ask('GET', '/v2/projects?lat=44&lon=4');
  assert.equal(json[0].id, 'all');
  const distances = json.slice(1).map((project) => project.distanceKm);
  assert.deepEqual(distances, [...distances].sort((a, b) => a - b));
  assert.equal(json[1].id, 'south-hills');
  assert.equal(distances[0], 0);
});

test('who_accepts_events_hears_that_it_was_taken_and_then_the_result', async () => {
  const body = form([['images', image(leaf)]]), headers = { ...body.headers, accept: 'text/event-stream' };
  const events = (text) => text.trim().split('\n\n').map((block) => Object.fromEntries(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)])));
  const answer = await server.ask('POST', '/v2/identify/all?nb-results=2', { ...body, headers });
  assert.equal(answer.headers['content-type'], 'text/event-stream; charset=utf-8');
  const [taken, result] = events(answer.text);
  assert.equal(taken.event, 'accepted');
  assert.equal(JSON.parse(taken.data).images, 1);
  assert.equal(result.event, 'result');
  assert.deepEqual(differences(JSON.parse(result.data), (await server.identify('all', body, '?nb-results=2')).json, 1e-4, '').filter((line) => !line.startsWith('.remaining')), []);
  const broken = form([['images', { data: leaf.data.subarray(0, 200) }]]);
  const [, error] = events((await server.ask('POST', '/v2/identify/all', { ...broken, headers })).text);
  assert.equal(error.event, 'error');
  assert.equal(JSON.parse(error.data).statusCode, 400);
  /* One who leaves at once costs nothing. */
  await server.raw(Buffer.concat([Buffer.from(`POST /v2/identify/all HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nContent-Type: ${body.headers['content-type']}\r\nContent-Length: ${body.body.length}\r\n\r\n`), body.body]), { enough: () => true });
  assert.equal((await server.identify('all', body)).status, 200);
});

test('pages_load_nothing_from_elsewhere', async () => {
  for (const target of ['/', '/docs', '/page.css', '/page.js', '/docs.js', '/openapi.json']) {
    const page = await server.ask('GET', target);
    assert.equal(page.status, 200, target);
    assert.match(page.headers['content-security-policy'], /^default-src 'none'; script-src 'self'; style-src 'self';/);
    if (target !== '/openapi.json') assert.ok(!/(src|href|fetch\()\s*[=(]?\s*["'`](https?:)?\/\//.test(page.text), target);
    assert.ok(!/ on\w+=| style=|<script>|javascript:/.test(target.endsWith('.js') ? '' : page.text), target);
    const again = await server.ask('GET', target, { headers: { 'if-none-match': page.headers.etag } });
    assert.equal(again.status, 304);
    assert.equal(again.text, '');
  }
});

test('every_path_of_the_description_is_answered', async () => {
  const api = (await server.ask('GET', '/openapi.json')).json;
  assert.equal(api.openapi, '3.1.0');
  for (const [target, methods] of Object.entries(api.paths)) {
    for (const method of Object.keys(methods)) {
      const answer = await server.ask(method.toUpperCase(), target.replace('{project}', 'all').replace(/\{\w+\}/g, '01KQHST0000000000000000001'));
      assert.ok(answer.status !== 405 && !(answer.json && answer.json.message === 'Not Found'), `${method} ${target}: ${answer.status}`);
    }
  }
  const refs = [...JSON.stringify(api).matchAll(/"\$ref":"#\/([^"]+)"/g)].map((match) => match[1]);
  for (const ref of refs) assert.ok(ref.split('/').reduce((part, key) => part && part[key], api), ref);
});

test('pictures_are_fetched_by_url_from_allowed_hosts_only', async () => {
  const answers = { '/leaf.jpg': (response) => response.end(leaf.data), '/text': (response) => response.end('hello'), '/gone': (response) => response.writeHead(404).end(), '/slow': () => {}, '/big': (response) => response.end(Buffer.concat([leaf.data, Buffer.alloc(2 << 20)])),
    '/once': (response) => response.writeHead(302, { location: '/leaf.jpg' }).end(), '/round': (response) => response.writeHead(302, { location: '/round' }).end(), '/away': (response) => response.writeHead(302, { location: 'http://elsewhere.example/x.jpg' }).end() };
  const site = http.createServer((request, response) => (answers[request.url] || answers['/gone'])(response)).listen(0, '127.0.0.1');
  await new Promise((resolve) => site.once('listening', resolve));
  const base = `http://127.0.0.1:${site.address().port}`, hosts = ['127.0.0.1'];
  const open = new Server({ references: references(samples), config: { fetch: { hosts, private: true, timeout_s: 1 }, limits: { body_mb: 1 } } }).start();
  const closed = new Server({ references: references(samples), config: { fetch: { hosts } } }).start();
  await Promise.all([open.ready(), closed.ready()]);
  const ask = (one, ...urls) => one.ask('GET', `/v2/identify/all?${urls.map((url) => `images=${encodeURIComponent(url)}`).join('&')}`);
  assert.equal((await ask(server, `${base}/leaf.jpg`)).status, 403); /* off by default */
  const good = await open.ask('GET', `/v2/identify/all?images=${encodeURIComponent(`${base}/leaf.jpg`)}&images=${encodeURIComponent(`${base}/once`)}&organs=leaf&organs=auto`);
  assert.equal(good.status, 200, good.text);
  looksRight(good.json, { images: 2 });
  assert.deepEqual(good.json.query.organs, ['leaf', 'auto']);
  assert.equal(good.json.predictedOrgans[0].filename, 'leaf.jpg');
  const refusals = [[400, '/gone', /404/], [415, '/text', /neither JPEG nor PNG/], [413, '/big', /too large/], [400, '/slow', /in time/], [400, '/round', /too many redirects/], [400, '/away', /not one that this server fetches from/]];
  for (const [status, target, words] of refusals) {
    const answer = await ask(open, base + target);
    assert.equal(answer.status, status, answer.text);
    assert.match(answer.json.message, words);
  }
  for (const url of ['file:///etc/passwd', 'http://user:x@127.0.0.1/', 'http://localhost/', 'gopher://127.0.0.1/', 'nonsense', '']) assert.equal((await ask(open, url)).status, 400, url);
  assert.equal((await ask(open)).status, 400);
  assert.equal((await ask(open, ...Array(6).fill(`${base}/leaf.jpg`))).status, 400);
  assert.match((await ask(closed, `${base}/leaf.jpg`)).json.message, /not public/); /* on the list, yet on the loopback */
  site.close();
  site.closeAllConnections();
  assert.deepEqual([await open.stop(), await closed.stop()], [{ code: 0, signal: null }, { code: 0, signal: null }]);
});

test('a_survey_finds_species_in_tiles_of_several_sizes', async () => {
  const file = path.join(samples, 'quadrat.jpg');
  must(flora, ['picture', '--taxon', leaf.taxon, '--organ', 'flower', '--size', '1300x1200', '--seed', '3', '--out', file]);
  const picture = ['image', { data: fs.readFileSync(file) }];
  const ask = (parts, target = '') => server.ask('POST', `/v2/survey/tiles${target}`, form([picture, ...parts]));
  const all = await ask([['min_score', '0.05']]);
  assert.equal(all.status, 200, all.text);
  assert.deepEqual(all.json.image, { width: 1300, height: 1200 });
  assert.equal(all.json.tiles, 20); /* 4 x 3 of 600 pixels, 3 x 2 of 849, 2 of 1,200 */
  assert.ok(all.json.results.length > 0);
  for (const one of all.json.results) {
    assert.ok(one.max_score >= 0.05 && one.count >= 1 && one.count <= 20 && one.coverage > 0 && one.coverage <= 1);
    assert.ok(one.location.x + one.location.width <= 1300 && one.location.y + one.location.height <= 1200);
    assert.ok(one.species.scientificName && one.species.genus.scientificName);
  }
  const sorted = async (sort) => (await ask([['min_score', '0.05'], ['sort', sort]])).json.results.map((one) => one[sort]);
  for (const sort of ['max_score', 'coverage', 'count']) { const values = await sorted(sort); assert.deepEqual(values, [...values].sort((a, b) => b - a)); }
  const few = await ask([['multi_scale', 'false'], ['tile_size', '1000'], ['tile_stride', '1000']], '/south-hills');
  assert.equal(few.json.tiles, 4);
  assert.ok(few.json.results.every((one) => one.max_score >= 0.3));
  assert.equal(few.json.query.project, 'south-hills');
  for (const parts of [[['tile_size', 'large']], [['min_score', '2']], [['sort', 'name']], [['multi_scale', 'maybe']], [['tile_size', '64'], ['tile_stride', '32']], [['other', '1']]]) assert.equal((await ask(parts)).status, 400, JSON.stringify(parts));
  assert.equal((await ask([], '/atlantis')).status, 404);
  assert.equal((await server.ask('POST', '/v2/survey/tiles', form([['image', { data: picture[1].data.subarray(0, 500) }]]))).status, 400);
  assert.equal((await server.ask('POST', '/v2/survey/tiles', form([]))).status, 400);
});

/* ---- malformed requests, each with the right error ---- */

const wrongs = malformed(() => leaf);
for (const [name, [status, method, target, make]] of Object.entries(wrongs)) {
  test(`malformed_${name}_is_${status}`, async () => {
    const answer = await server.ask(method, target, make());
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.json.statusCode, status);
    assert.ok(answer.json.error && answer.json.message.length > 5, answer.text);
    assert.match(answer.headers['content-type'], /^application\/json/);
    assert.match(answer.headers['x-request-id'], /^[0-9A-Z]{26}$/);
  });
}

test('more_than_fifty_megabytes_are_too_much_and_the_client_hears_it', async () => {
  const big = { data: Buffer.concat([leaf.data, Buffer.alloc(51 << 20)]) };
  assert.equal((await server.identify('all', form([['images', big]]))).status, 413);
  const part = { data: Buffer.concat([leaf.data, Buffer.alloc(26 << 20)]) };
  assert.equal((await server.identify('all', form([['images', part], ['images', part]]))).status, 413);
  const file = path.join(samples, 'big.jpg');
  fs.writeFileSync(file, big.data);
  assert.equal(curl('-F', `images=@${file}`, `${server.url}/v2/identify/all`).status, 413); /* asks by Expect: 100-continue */
  fs.rmSync(file);
});

test('a_request_that_is_no_http_is_refused_and_the_next_is_answered', async () => {
  for (const bytes of ['rubbish\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n', `GET /${'x'.repeat(200000)} HTTP/1.1\r\n\r\n`, 'POST /v2/identify/all HTTP/1.1\r\nHost: x\r\nContent-Length: minus\r\n\r\n'])
    assert.match(await server.raw(bytes), /^(HTTP\/1\.[01] (4\d\d|505)|$)/);
  assert.equal((await server.ask('GET', '/v2/_status')).status, 200);
});

test('slow_idle_and_half_closed_clients_are_cut_off', async () => {
  const strict = new Server({ references: references(samples), config: { limits: { head_s: 1, body_s: 1, least_bytes_per_s: 100000 } } }).start();
  await strict.ready();
  const trickle = (bytes, pause) => new Promise((resolve) => {
    const socket = net.connect(strict.port, '127.0.0.1'), begin = Date.now();
    let at = 0;
    const timer = setInterval(() => { if (at < bytes.length) socket.write(bytes.subarray(at, ++at)); }, pause);
    socket.on('error', () => {});
    socket.on('close', () => { clearInterval(timer); resolve(Date.now() - begin); });
    socket.resume();
  });
  const body = form([['images', image(leaf)]]);
  const head = Buffer.from(`POST /v2/identify/all HTTP/1.1\r\nHost: x\r\nContent-Type: ${body.headers['content-type']}\r\nContent-Length: ${body.body.length}\r\n\r\n`);
  const times = await Promise.all([trickle(Buffer.alloc(0), 1000), trickle(head, 50), trickle(Buffer.concat([head, body.body]), 5), ...Array.from({ length: 50 }, () => trickle(head, 100))]);
  for (const time of times) assert.ok(time < 15000, `${time} ms`);
  assert.equal((await strict.identify('all', { ...body, agent: false })).status, 200); /* and others are not held up */
  await Promise.all(Array.from({ length: 20 }, (_, i) => strict.raw(Buffer.concat([head, body.body.subarray(0, i % 2 ? undefined : 1000)]), { end: true })));
  await until('nothing of them is left', async () => /linnet_http_connections 1\n[^]*linnet_http_requests_open 1\n/.test((await strict.ask('GET', '/metrics', { agent: false })).text));
  assert.deepEqual(await strict.stop(), { code: 0, signal: null });
});

test('pipelined_requests_are_answered_in_order', async () => {
  const one = 'GET /v2/_status HTTP/1.1\r\nHost: x\r\n\r\n', other = 'GET /v2/nothing HTTP/1.1\r\nHost: x\r\n\r\n';
  const text = await server.raw(one + other + one, { enough: (so_far) => (so_far.match(/"status":"ok"/g) || []).length === 2 });
  assert.deepEqual([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1]), ['200', '404', '200']);
});

test('the_access_log_holds_no_query', () => {
  const access = server.lines().filter((line) => line.room === 'access');
  assert.ok(access.length > 40);
  for (const line of access) assert.ok(!line.path.includes('?') && line.id.length === 26 && line.address === '127.0.0.1');
});

test('sigterm_answers_what_was_asked_and_ends_in_order', async () => {
  const other = new Server({ references: references(samples) }).start();
  await other.ready();
  const asked = Array.from({ length: 8 }, () => other.identify('all', form([['images', image(leaf)], ['images', image(flower)]])));
  await until('they have come', async () => /linnet_http_requests_open ([2-9]|\d\d)/.test((await other.ask('GET', '/metrics')).text));
  const ended = other.stop();
  for (const answer of await Promise.all(asked)) assert.ok([200, 503].includes(answer.status), answer.text);
  assert.deepEqual(await ended, { code: 0, signal: null });
});
