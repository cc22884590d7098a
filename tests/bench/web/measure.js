'use strict';
/* measure.js BUILD [--observations N] [--names N] [--pages N] [--flora-names N]: the web app's times, a table; see run.sh. */
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const [build, ...rest] = process.argv.slice(2), tests = path.resolve(__dirname, '../..');
process.env.LINNET_BUILD_DIR = build;
const { System } = require(path.join(tests, 'web/lib')), { put } = require(path.join(tests, 'web/people'));
const e2e = require(path.join(tests, 'e2e/lib')), { Server, references } = require(path.join(tests, 'e2e/serve_lib'));
const { fill } = require('./fill'), { firstCard, letters, median, nextCards } = require('./figures'), crowd = require('./crowd'), names = require('./names');

const option = (name, fallback) => (rest.includes(`--${name}`) ? Number(rest[rest.indexOf(`--${name}`) + 1]) : fallback);
const OBSERVATIONS = option('observations', 100000), NAMES = option('names', 1400000), PAGES = option('pages', 1000);
const FLORA_NAMES = option('flora-names', 20000), PICTURED = 120, TURNS = 5, CARDS = 40, TYPED = 16, ROUNDS = 6, BATCHES = 10, BATCH = 100;
const rows = [], progress = (text) => process.stderr.write(`${text}\n`);

/* A figure against what is asked of it. */
function tell(what, value, most, unit, note = '') {
  rows.push({ what, value, most, unit, note, held: value <= most });
}

async function theStore(system) {
  const fern = system.user('fern'), moss = system.user('moss', 'reviewer');
  const obs = await put(system, fern, system.pictures(1)[0], { flora: undefined });
  await e2e.until('it is identified', async () => (await system.store.documents()).has(`${obs}:identification`));
  const documents = await system.store.documents(), [best] = documents.get(`${obs}:identification`).species;
  await system.store.ask('PUT', `/linnet/${obs}:validation:${moss}`, { kind: 'validation', user: moss, created_at: '2026-05-03T10:25:30Z', vote: 'taxon', taxon: best.taxon });
  await e2e.until('a vote is counted', async () => (await system.store.documents()).get(`${obs}:consensus`)?.votes.some((vote) => vote.user === moss));
  await system.worker.stop();
  progress(`filling the store with ${OBSERVATIONS} observations`);
  const begin = Date.now(), ids = await fill(system.store, obs, OBSERVATIONS, PICTURED);
  progress(`filled in ${Math.round((Date.now() - begin) / 1000)} s; making the views`);
  for (;;) { // a store may answer with an error while it is at it, or not before a client has given up
    const answer = await system.store.ask('GET', '/linnet/_design/linnet/_view/needs_review?limit=1&reduce=false').catch(() => system.store.ask('GET', '/')); // which rejects if it is gone
    if (Array.isArray(answer.json?.rows)) break;
  }
  progress(`ready after ${Math.round((Date.now() - begin) / 1000)} s`);
  return { obs, ids };
}

async function theReviewer(system) {
  system.user('ivy', 'reviewer');
  const page = await system.signedIn('ivy'), session = await page.context().storageState();
  const runs = [];
  for (let i = 0; i < TURNS; i++) runs.push(await firstCard(system, session));
  tell('first review card, 4x slowed CPU, slow 4G', median(runs.map((run) => run.ms)), 2500, 'ms',
    `signed in, nothing of the app on the device; its picture after ${Math.round(median(runs.map((run) => run.picture)))} ms`);
  await page.to('/review');
  const cards = await nextCards(page, CARDS);
  tell('next card on the screen, median', median(cards), 100, 'ms', `95th percentile ${Math.round(median(cards, 0.95))} ms`);
  const folder = path.join(system.folder, 'flora');
  fs.mkdirSync(folder);
  const id = await names.flora(e2e, system.store, folder, FLORA_NAMES), { taxa } = await system.store.get(`/linnet-reference/${encodeURIComponent(id)}`);
  await page.evaluate((flora) => localStorage.setItem('linnet.settings', JSON.stringify({ flora })), id);
  await page.to('/explore'); // a card's search is in the flora of its observation
  await page.reload();
  const typed = [];
  for (let i = 0; i < TYPED; i++) typed.push((await system.store.get(`/linnet-reference/${encodeURIComponent(taxa[Math.floor((i + 0.5) / TYPED * taxa.length)])}`)).scientificName);
  const { times: keys, found } = await letters(page, typed.map((name, i) => ({ name, typed: i % 2 ? name : name.slice(0, 4) + name.slice(5) })));
  tell('search in the flora offline, 95th percentile', median(keys, 0.95), 50, 'ms',
    `median ${median(keys).toFixed(1)} ms, most ${median(keys, 1).toFixed(0)} ms, ${keys.length} letters, ${taxa.length} species, ${FLORA_NAMES} scientific names and their common ones; ${found} of ${TYPED} found, half of them with a letter missing`);
  await page.context().close();
}

async function theCrowd(system, { ids }) {
  const { store } = system, server = new Server({ store, config: { limits: { connections_per_address: 0 }, log: { level: 'warn' } } }).start();
  await server.ready();
  let n = 0;
  const model = await store.get(`/linnet/${ids[0]}:observation`);
  const make = () => { const id = `01J1${String(n++).padStart(22, '0')}`; const { _rev, ...copy } = model; return { ...copy, _id: `${id}:observation` }; };
  const alone = [], among = [];
  await crowd.write(store, 3, BATCH, make);
  for (let i = 0; i < ROUNDS; i++) {
    alone.push(await crowd.write(store, BATCHES, BATCH, make));
    const close = await crowd.open(server, PAGES, (at) => ids[at % ids.length]);
    among.push(await crowd.write(store, BATCHES, BATCH, make));
    close();
    await e2e.until('they have gone', async () => /^linnet_events_listeners(?:\{\})? 0$/m.test((await server.ask('GET', '/metrics')).text));
  }
  await server.stop();
  tell(`${PAGES} open pages: time of the store's writes`, median(among) / median(alone), 1.1, 'times', `${Math.round(BATCHES * BATCH / median(alone) * 1000)} documents a second without them`);
}

async function theNames() {
  const samples = e2e.draw(40), folder = fs.mkdtempSync(path.join(os.tmpdir(), 'linnet-names-'));
  try {
    fs.cpSync(references(samples), folder, { recursive: true });
    const list = path.join(folder, 'catalogue');
    fs.mkdirSync(list);
    const { taxa, sample } = await names.catalogue(e2e, list, NAMES);
    fs.renameSync(path.join(list, 'taxa.jsonl'), path.join(folder, 'catalogue.jsonl'));
    fs.rmSync(list, { recursive: true });
    const server = new Server({ references: folder, config: { keys: { anonymous_daily: 0 }, log: { level: 'warn' } } }).start();
    await server.ready(300000);
    await e2e.until('the names are there', async () => (await server.ask('GET', '/v2/taxa?query=a')).status === 200, 300000);
    await names.ask(server, sample.slice(0, 20));
    const { times, found } = await names.ask(server, sample), memory = server.memory();
    await server.stop();
    tell('search by the server, 95th percentile', median(times, 0.95), 100, 'ms', `median ${median(times).toFixed(1)} ms, ${taxa} taxa with ${NAMES} names; ${(found * 100).toFixed(0)}% found whole or with a letter missing; ${Math.round(memory)} MiB`);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

async function main() {
  const load = () => os.loadavg()[0].toFixed(1), before = load();
  const only = rest.includes('--only') ? rest[rest.indexOf('--only') + 1].split(',') : ['review', 'names', 'pages'];
  if (only.includes('names')) await theNames();
  if (only.includes('review') || only.includes('pages')) {
    const system = await System.start();
    try {
      const filled = await theStore(system);
      if (only.includes('review')) await theReviewer(system);
      if (only.includes('pages')) await theCrowd(system, filled);
    } finally {
      await system.stop();
    }
  }
  console.log(`${'figure'.padEnd(52)}${'is'.padStart(9)}${'at most'.padStart(9)}`);
  for (const { what, value, most, unit, note, held } of rows) {
    const digits = unit === 'times' ? 2 : value < 100 ? 1 : 0;
    console.log(`${what.padEnd(52)}${value.toFixed(digits).padStart(9)}${String(most).padStart(9)} ${unit.padEnd(6)}${held ? '  ' : '! '}${note}`);
  }
  console.log(`load ${before} before, ${load()} after; ${os.cpus().length} processors`);
  process.exitCode = rows.every((row) => row.held) ? 0 : 1;
}

main();
