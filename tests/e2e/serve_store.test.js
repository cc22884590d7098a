'use strict';
/* The REST API on a store: keys and quotas, sign-up, events, lists. Servers side by side share what they know by the store alone. */
const test = require('node:test');
const assert = require('node:assert');
const fs = require('fs');
const http = require('http');
const path = require('path');
const { Server, draw, form, pictures } = require('./serve_lib');
const { Store, run, program, submit, until } = require('./lib');

let store, server, samples, picture;

test.before(async () => {
  samples = draw(6, 5);
  picture = pictures(samples)[0];
  store = Store.start();
  store.setUp(samples);
  server = new Server({ store, config: { signup: { open: true, per_hour: 5 } } }).start();
  await server.ready();
});

test.after(async () => {
  if (server) await server.stop();
  if (store) store.stop();
});

const body = () => form([['images', { data: picture.data }]]);

/* ---- lists ---- */

test('species_are_listed_by_prefix_and_in_pages', async () => {
  const all = await until('the list is made', async () => { const answer = await server.ask('GET', '/v2/species'); return answer.status === 200 && answer; });
  assert.equal(all.json.length, 1000);
  const total = Number(all.headers['x-total-count']);
  assert.ok(total >= 1000);
  const names = all.json.map((one) => one.scientificNameWithoutAuthor);
  assert.deepEqual(names, [...names].sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)));
  const prefix = names[500].slice(0, 4).toUpperCase();
  const some = await server.ask('GET', `/v2/species?prefix=${prefix}&pageSize=3`);
  const expected = names.filter((name) => name.toUpperCase().startsWith(prefix));
  assert.deepEqual(some.json.map((one) => one.scientificNameWithoutAuthor), expected.slice(0, 3));
  assert.equal(Number(some.headers['x-total-count']), expected.length);
  const second = await server.ask('GET', `/v2/species?prefix=${prefix}&pageSize=3&page=2`);
  assert.deepEqual(second.json.map((one) => one.scientificNameWithoutAuthor), expected.slice(3, 6));
  assert.equal((await server.ask('GET', '/v2/species?prefix=%C3%89xyz')).json.length, 0);
  assert.equal((await server.ask('GET', '/v2/species?page=0')).status, 400);
});

test('a_projects_species_are_those_of_its_flora', async () => {
  const { json, headers } = await server.ask('GET', '/v2/projects/isles/species?pageSize=10000');
  const flora = (await store.get('/linnet-reference/flora:isles')).taxa;
  assert.equal(Number(headers['x-total-count']), json.length);
  const ids = new Set(json.map((one) => one.id));
  assert.ok(json.length > 0 && json.length <= flora.length);
  for (const id of flora) if (/^taxon:1000/.test(id)) assert.ok(ids.has(id), id);
  assert.equal((await server.ask('GET', '/v2/projects/atlantis/species')).status, 404);
});

test('languages_are_those_of_names', async () => {
  const { json } = await server.ask('GET', '/v2/languages');
  assert.ok(json.includes('en'));
  assert.deepEqual(json, [...json].sort());
});

/* ---- sign-up ---- */

test('who_signs_up_can_write_his_own_observations_and_no_others', async () => {
  const name = `ann${process.pid}`, password = 'correct horse';
  const answer = await server.ask('POST', '/v2/signup', { headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name, password }) });
  assert.equal(answer.status, 201, answer.text);
  assert.match(answer.json.uid, /^[a-z2-7]{26}$/);
  const write = async (uid) => {
    const obs = '01KQHST0000000000000000001', doc = { _id: `${obs}:observation`, kind: 'observation', observer: uid, created_at: '2026-11-01T10:00:00Z', views: [{ image: '0'.repeat(64), organ: 'auto' }] };
    const url = new URL(`/${store.prefix}/${encodeURIComponent(doc._id)}`, store.url.origin);
    return (await fetch(url, { method: 'PUT', headers: { authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`, 'content-type': 'application/json' }, body: JSON.stringify(doc) })).status;
  };
  assert.ok([401, 403].includes(await write('somebodyelse')));
  assert.equal(await write(answer.json.uid), 201);
  assert.equal((await store.get(`/linnet-reference/reviewer:${answer.json.uid}`)).role, 'observer');
  const again = await server.ask('POST', '/v2/signup', { headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name, password }) });
  assert.equal(again.status, 409, again.text);
  store.linnet('user', 'erase', answer.json.uid, '--wait', '0');
});

test('sign_ups_are_checked_and_counted', async () => {
  const post = (value, type = 'application/json') => server.ask('POST', '/v2/signup', { headers: { 'content-type': type }, body: value });
  const cases = [['{', 400], ['{}', 400], ['{"name":"x","password":"long enough"}', 400], ['{"name":"Ann","password":"long enough"}', 400], ['{"name":"../x","password":"long enough"}', 400], ['{"name":"bob","password":"short"}', 400], [`{"name":"bob","password":"${'x'.repeat(300)}"}`, 400], [`{"name":"${'x'.repeat(70000)}"}`, 413]];
  for (const [value, status] of cases) assert.equal((await post(value)).status, status, value.slice(0, 60));
  assert.equal((await post('name=bob', 'application/x-www-form-urlencoded')).status, 415);
  let last;
  for (let i = 0; i < 6; i++) last = await post(JSON.stringify({ name: `ann${process.pid}`, password: 'long enough' }));
  assert.equal(last.status, 429);
  assert.ok(Number(last.headers['retry-after']) > 0);
  const closed = new Server({ store }).start();
  await closed.ready();
  assert.equal((await closed.ask('POST', '/v2/signup', { headers: { 'content-type': 'application/json' }, body: '{"name":"bob","password":"long enough"}' })).status, 403);
  await closed.stop();
});

/* ---- keys ---- */

test('keys_open_the_api_until_they_are_revoked_and_quotas_hold_across_servers', async () => {
  const config = { keys: { required: true } };
  const servers = [new Server({ store, config }).start(), new Server({ store, config }).start()];
  await Promise.all(servers.map((one) => one.ready()));
  const [one, other] = servers;
  const key = JSON.parse(store.must('key', 'add', 'garden club', '--daily', '3', '--origin', 'https://garden.example', '--json').out).key;
  assert.match(key, /^lk_[a-z2-7]{26}$/);
  assert.equal((await one.identify('all', body())).status, 401);
  assert.equal((await one.identify('all', body(), '?api-key=lk_nonsense')).status, 401);
  await until('the key is known', async () => (await one.ask('GET', `/v2/quota/daily?api-key=${key}`)).status === 200);
  const first = await one.identify('all', body(), `?api-key=${key}`);
  assert.equal(first.status, 200, first.text);
  assert.equal(first.json.remainingIdentificationRequests, 2);
  assert.equal(first.headers['ratelimit-limit'], '3');
  assert.equal(first.headers['ratelimit-remaining'], '2');
  assert.ok(Number(first.headers['ratelimit-reset']) <= 86400);
  await until('the other server has heard of it', async () => (await other.ask('GET', '/v2/quota/daily', { headers: { 'api-key': key } })).json.quota.identify.count === 1, 30000);
  const asked = [];
  for (let i = 0; i < 3; i++) asked.push((await other.identify('all', { ...body(), headers: { ...body().headers, authorization: `Bearer ${key}` } })).status);
  assert.deepEqual(asked, [200, 200, 429]);
  const refused = await other.identify('all', body(), `?api-key=${key}`);
  assert.equal(refused.json.statusCode, 429);
  assert.ok(Number(refused.headers['retry-after']) > 0);
  /* Web pages. */
  const from = (origin, method = 'GET') => one.ask(method, `/v2/quota/daily?api-key=${key}`, { headers: { origin } });
  assert.equal((await from('https://garden.example')).headers['access-control-allow-origin'], 'https://garden.example');
  assert.equal((await from('https://evil.example')).status, 403);
  const preflight = await from('https://garden.example', 'OPTIONS');
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers['access-control-allow-methods'], 'GET, POST');
  assert.equal((await from('https://evil.example', 'OPTIONS')).headers['access-control-allow-origin'], undefined);
  /* Names go into the log, keys do not. */
  assert.ok(one.lines().some((line) => line.room === 'access' && line.key === 'garden club'));
  assert.ok(!fs.readFileSync(one.log, 'utf8').includes(key));
  store.must('key', 'revoke', 'garden club');
  await until('it is revoked', async () => (await one.ask('GET', `/v2/quota/daily?api-key=${key}`)).status === 401);
  assert.match(store.must('key', 'list').out, /garden club .*revoked/);
  assert.equal(run(program, ['key', 'revoke', 'nobody'], { env: store.env }).code, 1);
  await Promise.all(servers.map((each) => each.stop()));
});

test('addresses_without_a_key_have_a_quota_of_their_own', async () => {
  const other = new Server({ store, config: { keys: { anonymous_daily: 2 }, trusted_proxies: ['127.0.0.1'] } }).start();
  await other.ready();
  const ask = async (address) => (await other.ask('POST', '/v2/identify/all', { ...body(), headers: { ...body().headers, 'x-forwarded-for': `9.9.9.9, ${address}` } })).status;
  assert.deepEqual([await ask('1.2.3.4'), await ask('1.2.3.4'), await ask('1.2.3.4'), await ask('1.2.3.5')], [200, 200, 429, 200]);
  await other.stop();
});

/* ---- observations ---- */

test('what_is_identified_can_be_stored_and_becomes_an_observation', async () => {
  const uid = JSON.parse(store.must('user', 'add', `keeper${process.pid}`, '--json').out).uid;
  const key = JSON.parse(store.must('key', 'add', 'keeper', '--observer', uid, '--json').out).key;
  assert.equal((await server.identify('all', body(), '?store=true')).status, 403);
  await until('the key is known', async () => (await server.ask('GET', `/v2/quota/daily?api-key=${key}`)).json.account === 'keeper');
  const pair = form([['images', { data: picture.data }], ['images', { data: picture.data }], ['organs', 'auto'], ['organs', 'leaf']]);
  const answer = await server.identify('south-hills', pair, `?store=true&api-key=${key}`);
  assert.equal(answer.status, 200, answer.text);
  const obs = answer.json.observation, docs = [...(await store.documents()).values()].filter((doc) => doc._id.startsWith(obs));
  assert.deepEqual(docs.map((doc) => doc.kind).sort(), ['image', 'observation']);
  assert.ok(docs.every((doc) => doc.observer === uid));
  assert.equal(docs.find((doc) => doc.kind === 'observation').flora, 'flora:south-hills');
  const told = (await server.ask('GET', `/v2/observations/${obs}`)).json;
  assert.equal(told.id, obs);
  assert.equal(told.observer, uid);
  assert.equal(told.identification, null);
  assert.equal(told.consensus, null);
  assert.equal(told.images.length, 1);
  const original = await fetch(told.images[0].url.o);
  assert.equal(original.headers.get('content-type'), 'image/jpeg');
  assert.ok((await original.arrayBuffer()).byteLength > 1000);
  assert.equal((await fetch(told.images[0].url.m)).status, 404); /* no worker has been here */
  for (const wrong of ['/v2/observations/x', '/v2/observations/01KQHST0000000000000000999', `/v2/observations/${obs}/images/x/o`, `/v2/observations/${obs}/images/${'0'.repeat(64)}/o`, `/v2/observations/${obs}/images/${'0'.repeat(64)}/xl`]) assert.equal((await server.ask('GET', wrong)).status, 404, wrong);
  /* What does not become a plant is not stored. */
  const before = (await store.documents()).size;
  assert.equal((await server.identify('nowhere', body(), `?store=true&api-key=${key}`)).status, 404);
  assert.equal((await store.documents()).size, before);
  store.linnet('user', 'erase', uid, '--wait', '0');
});

/* ---- events ---- */

class Listener {
  constructor(one, query = '', headers = {}) {
    this.events = [];
    this.ready = new Promise((resolve, reject) => {
      this.request = http.get(`${one.url}/v2/events${query}`, { headers }, (response) => {
        this.response = response;
        let text = '';
        response.on('data', (piece) => {
          text += piece;
          for (let at; (at = text.indexOf('\n\n')) >= 0; text = text.slice(at + 2)) {
            const fields = Object.fromEntries(text.slice(0, at).split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]));
            if (fields.event) this.events.push({ ...fields, data: JSON.parse(fields.data) });
          }
        });
        this.ended = new Promise((done) => response.on('close', done));
        resolve(response);
      });
      this.request.on('error', reject);
    });
  }

  async see(what, holds) { await this.ready; return until(() => `${what}: ${JSON.stringify(this.events).slice(-2000)}`, () => this.events.find(holds), 30000); }
  close() { this.request.destroy(); }
}

test('events_reach_those_who_want_them_and_whoever_comes_back_misses_nothing', async () => {
  const rows = pictures(samples), uids = [...new Set(rows.map((row) => row.observer))];
  const all = new Listener(server, '?documents=true'), kinds = new Listener(server, '?kind=image'), reference = new Listener(server, '?database=reference');
  for (const listener of [all, kinds, reference]) await listener.see('a greeting', (event) => event.event === 'hello');
  assert.equal(all.response.headers['content-type'], 'text/event-stream; charset=utf-8');
  await submit(store, samples, { votes: false });
  const documents = [...(await store.documents()).values()].filter((doc) => rows.some((row) => doc._id.startsWith(row.observation)));
  for (const doc of documents) {
    const event = await all.see(doc._id, (one) => one.data.id === doc._id);
    assert.equal(event.data.kind, doc.kind);
    assert.equal(event.data.rev, doc._rev);
    assert.equal(event.data.document._id, doc._id);
  }
  await kinds.see('the last picture', (one) => one.data.id === documents.filter((doc) => doc.kind === 'image').pop()._id);
  assert.ok(kinds.events.every((event) => event.event === 'hello' || (event.data.kind === 'image' && !event.data.document)));
  assert.equal(reference.events.length, 1);
  store.must('reference', 'load', '--quiet', path.join(samples, 'backbone/floras.jsonl'));
  const touched = { ...(await store.get('/linnet-reference/flora:isles')), title: 'Isles, again' };
  await store.ask('PUT', '/linnet-reference/flora:isles', touched);
  await reference.see('the flora', (event) => event.data.id === 'flora:isles');
  /* By observer and by flora, on a server that has not seen the observations. */
  const fresh = new Server({ store }).start();
  await fresh.ready();
  const mine = documents.find((doc) => doc.kind === 'observation'), image = documents.find((doc) => doc.kind === 'image' && doc._id.startsWith(mine._id.slice(0, 26)));
  const byObserver = new Listener(fresh, `?observer=${mine.observer}`), others = new Listener(fresh, '?observer=nobody'), byObservation = new Listener(fresh, `?observation=${mine._id.slice(0, 26)}`);
  for (const listener of [byObserver, others, byObservation]) await listener.see('a greeting', (event) => event.event === 'hello');
  const vote = (id) => ({ _id: `${id}:validation:tester`, kind: 'validation', user: 'tester', created_at: '2026-11-01T10:00:00Z', vote: 'not-a-plant' });
  assert.ok(uids.length > 0 && image);
  assert.equal((await store.ask('PUT', `/linnet/${mine._id.slice(0, 26)}:validation:tester`, vote(mine._id.slice(0, 26)))).status, 201);
  await byObserver.see('the vote', (event) => event.data.kind === 'validation');
  await byObservation.see('the vote', (event) => event.data.kind === 'validation');
  assert.equal(others.events.length, 1);
  /* Coming back. */
  const seen = all.events.filter((event) => event.event === 'change'), middle = seen[Math.floor(seen.length / 2)];
  const back = new Listener(server, '', { 'last-event-id': middle.id });
  await back.see('what was missed', (event) => event.id === seen[seen.length - 1].id);
  assert.deepEqual(back.events.filter((event) => event.event === 'change').slice(0, seen.length - seen.indexOf(middle) - 1).map((event) => event.data.id), seen.slice(seen.indexOf(middle) + 1).map((event) => event.data.id));
  const lost = new Listener(server, '?lastEventId=01KQHST0000000000000000001-3');
  await lost.see('that it must read again', (event) => event.event === 'reset');
  const ends = [byObserver, others, byObservation];
  assert.deepEqual(await fresh.stop(), { code: 0, signal: null });
  await Promise.all(ends.map((listener) => listener.ended));
  for (const listener of [all, kinds, reference, back, lost]) listener.close();
  await until('the server knows that they have left', async () => /linnet_events_listeners 0/.test((await server.ask('GET', '/metrics')).text), 40000);
});

test('what_is_no_filter_is_refused', async () => {
  for (const query of ['?database=ops', '?observation=x', `?observer=${'x'.repeat(100)}`, '?nothing=1']) assert.equal((await server.ask('GET', `/v2/events${query}`)).status, 400, query);
});
