'use strict';
/* The consensus whatever happens: workers killed in the middle of epochs, a standby that takes over, users blocked, minds that change.
 * After `linnet consensus settle` the documents equal the batch answer of `linnet consensus solve` exactly.
 * LINNET_CONSENSUS_KILLS makes it shorter or longer. */
const test = require('node:test');
const assert = require('node:assert');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { Store, Worker, byKind, random, until } = require('./lib');

const kills = Number(process.env.LINNET_CONSENSUS_KILLS || 20);
const seed = Number(process.env.LINNET_CONSENSUS_SEED || 20261128);
const observations = 150, users = 24, species = 30;
const long = { timeout: 900000 };
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const roll = random(seed), pick = (n) => Math.floor(roll() * n);
/* Every vote ends an epoch's patience, every crowd is solved on a thread of its own: kills fall into epochs. */
const config = { lease: { term_ms: 4000 }, groups: { community: { stages: { consensus: { config: { machine: 'off', epoch_votes: 20, quiet_s: 0.5, thread_votes: 0 } } } } } };
let store, workers = [];

const ulid = (i) => `01JTB7K3M4N5P6Q7R8S${String(i).padStart(7, '0')}`;
const user = (i) => `user${i}`;
const name = (i) => `taxon:s${i}`;
const time = (minute) => new Date(Date.UTC(2026, 4, 3, 10, 0, 0) + minute * 60000).toISOString();
const taxa = [
  { id: 'taxon:f', scientificName: 'Fictaceae', taxonRank: 'family' },
  ...[0, 1, 2, 3, 4].map((g) => ({ id: `taxon:g${g}`, scientificName: `Genus${g}`, taxonRank: 'genus', parentNameUsageID: 'taxon:f' })),
  ...Array.from({ length: species }, (_, s) => ({ id: name(s), scientificName: `Genus${s % 5} species${s}`, taxonRank: 'species', parentNameUsageID: `taxon:g${s % 5}` })),
  { id: 'taxon:old', scientificName: 'Genus0 vetus', taxonRank: 'species', parentNameUsageID: 'taxon:g0', acceptedNameUsageID: name(0) },
];

async function bulk(docs, database = 'linnet') {
  const answer = await store.ask('POST', `/${database}/_bulk_docs`, { docs });
  assert.ok(answer.status < 300, answer.text);
  assert.deepEqual(answer.json.filter((row) => row.error), []);
}

function observation(i) {
  const observer = user(pick(users)), image = i.toString(16).padStart(64, '0');
  return {
    _id: `${ulid(i)}:observation`, kind: 'observation', observer, created_at: time(0), observed_at: time(-5), views: [{ image, organ: 'leaf' }],
    location: { decimalLatitude: 43.6, decimalLongitude: 3.8 }, ...(roll() < 0.8 ? { proposed_taxon: name(i % species) } : {}),
  };
}

/* Users know the better the lower their number; some name the genus only, some reject, some cannot tell. */
function validation(i, u) {
  const truth = i % species, knows = roll() < 0.95 - u / users / 2, said = knows ? truth : pick(species);
  const doc = { _id: `${ulid(i)}:validation:${user(u)}`, kind: 'validation', user: user(u), created_at: time(1 + pick(500)), vote: 'taxon', taxon: name(said) };
  const kind = roll();
  if (kind < 0.08) doc.taxon = `taxon:g${truth % 5}`;
  else if (kind < 0.12) Object.assign(doc, { taxon: `taxon:g${truth % 5}`, disagrees_with: name(said) });
  else if (kind < 0.15 && truth === 0) doc.taxon = 'taxon:old';
  else if (kind < 0.18) { doc.vote = 'not-a-plant'; delete doc.taxon; } else if (kind < 0.21) { doc.vote = 'cannot-tell'; delete doc.taxon; }
  return doc;
}

/* A few votes: new ones, changed ones, withdrawn ones. */
async function someVotes(n) {
  const docs = new Map();
  for (let k = 0; k < n; k++) {
    const doc = validation(pick(observations), pick(users));
    docs.set(doc._id, doc);
  }
  const known = (await store.ask('POST', '/linnet/_all_docs', { keys: [...docs.keys()] })).json.rows;
  for (const row of known) {
    if (!row.value || row.value.deleted) continue;
    docs.get(row.id)._rev = row.value.rev;
    if (roll() < 0.2) docs.set(row.id, { _id: row.id, _rev: row.value.rev, _deleted: true });
  }
  await bulk([...docs.values()]);
}

/* ---- the batch answer ---- */

const cell = (text) => (text === undefined || text === null ? '' : String(text));

/* The store's votes as `linnet consensus solve` reads them: validations, and proposals of authors who have none. */
function votesOf(documents, blocked) {
  const rows = [], authors = new Map();
  for (const doc of byKind(documents, 'observation')) authors.set(doc._id.slice(0, 26), doc);
  const put = (obs, who, taxon, at, rejects) => {
    if (!blocked.has(who)) rows.push([obs, who, taxon, authors.get(obs).observer === who ? 1 : 0, at, cell(rejects)].join(','));
  };
  const validated = new Set();
  for (const doc of byKind(documents, 'validation')) {
    const obs = doc._id.slice(0, 26);
    if (!authors.has(obs)) continue;
    validated.add(`${obs} ${doc.user}`);
    put(obs, doc.user, doc.vote === 'taxon' ? doc.taxon : doc.vote === 'not-a-plant' ? 'not-a-plant' : '', doc.created_at, doc.disagrees_with);
  }
  for (const [obs, doc] of authors) if (doc.proposed_taxon && !validated.has(`${obs} ${doc.observer}`)) put(obs, doc.observer, doc.proposed_taxon, doc.created_at);
  return rows;
}

function read(file) {
  const [head, ...rows] = fs.readFileSync(file, 'utf8').trim().split('\n').map((line) => line.split(','));
  return new Map(rows.map((row) => [row[0], Object.fromEntries(head.map((column, i) => [column, row[i]]))]));
}

function solve(documents, blocked) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'linnet-batch-'));
  try {
    const votes = path.join(folder, 'votes.csv'), backbone = path.join(folder, 'taxa.csv');
    fs.writeFileSync(votes, ['observation,user,taxon,author,created_at,disagreement', ...votesOf(documents, blocked), ''].join('\n'));
    fs.writeFileSync(backbone, ['taxon,parent,rank,accepted', ...taxa.map((taxon) => [taxon.id, cell(taxon.parentNameUsageID), taxon.taxonRank, cell(taxon.acceptedNameUsageID)].join(',')), ''].join('\n'));
    store.must('consensus', 'solve', '--quiet', '--votes', votes, '--taxa', backbone, '--out', folder);
    return { observations: read(path.join(folder, 'observations.csv')), users: read(path.join(folder, 'users.csv')) };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

const HALF = 5.06e-5; /* documents write four decimals, solve six */

/* Every figure of every consensus and skill, as exactly as documents write them. */
async function differsFromBatch(blocked = new Set()) {
  const documents = await store.documents(), batch = solve(documents, blocked), wrong = [];
  const skills = new Map(byKind(await store.documents('linnet-reference'), 'skill').map((doc) => [doc.user, doc]));
  for (const { _id } of byKind(documents, 'observation')) {
    const obs = _id.slice(0, 26), doc = documents.get(`${obs}:consensus`), row = batch.observations.get(obs);
    if (!doc) { wrong.push(`${obs} has no consensus`); continue; }
    const said = doc.not_a_plant ? 'not-a-plant' : cell(doc.taxon);
    if (said !== (row ? row.taxon : '')) wrong.push(`${obs}: ${said}, batch ${row && row.taxon}`);
    if (!row) continue;
    for (const figure of ['confidence', 'accuracy']) if (Math.abs(doc[figure] - Number(row[figure])) > HALF) wrong.push(`${obs} ${figure}: ${doc[figure]}, batch ${row[figure]}`);
    if (doc.valid !== ['1', 'true'].includes(row.valid)) wrong.push(`${obs} valid: ${doc.valid}, batch ${row.valid}`);
    if (doc.grade !== row.grade) wrong.push(`${obs} grade: ${doc.grade}, batch ${row.grade}`);
    for (const vote of doc.votes) {
      if (blocked.has(vote.user)) { if (vote.weight !== 0) wrong.push(`${obs}: ${vote.user} is blocked and weighs ${vote.weight}`); continue; }
      if (Math.abs(vote.weight - Number(batch.users.get(vote.user).weight)) > HALF) wrong.push(`${obs}: ${vote.user} weighs ${vote.weight}, batch ${batch.users.get(vote.user).weight}`);
    }
  }
  for (const [who, row] of batch.users) {
    const skill = skills.get(who) || { n_author: 0, n_vote: 0, n: 0 };
    for (const count of ['n_author', 'n_vote', 'n']) if (skill[count] !== Number(row[count])) wrong.push(`${who} ${count}: ${skill[count]}, batch ${row[count]}`);
  }
  for (const who of blocked) if (skills.has(who)) wrong.push(`${who} is blocked and has a skill`);
  return wrong;
}

const settle = () => store.must('consensus', 'settle', '--quiet', '--timeout', '120').out;

function open() {
  const worker = new Worker(store, { config, groups: 'community' }).start();
  workers.push(worker);
  return worker;
}

test.before(async () => {
  store = Store.start();
  store.must('init', '--quiet');
  await bulk(taxa.map(({ id, ...taxon }) => ({ _id: id, kind: 'taxon', ...taxon })), 'linnet-reference');
  await bulk(Array.from({ length: observations }, (_, i) => observation(i)));
  await open().ready();
});

test.after(async () => {
  await Promise.all(workers.map((worker) => worker.stop()));
  for (const worker of workers) worker.remove();
  store.stop();
});

test(`after_${kills}_kills_in_the_middle_of_epochs_it_settles_to_the_batch_answer`, long, async () => {
  for (let round = 0; round < kills; round++) {
    await someVotes(60);
    await pause(roll() * 1200); /* somewhere in an epoch, its telling, or a snapshot */
    if (roll() < 0.5) { await workers[0].kill(); workers[0].start(); } else workers[0].signalChild('SIGKILL');
  }
  assert.match(settle(), /^settled: 150 observations/);
  assert.deepEqual((await differsFromBatch()).slice(0, 10), []);
});

test('a_standby_without_a_state_takes_over_and_settles_to_the_batch_answer', long, async () => {
  const standby = open();
  await standby.ready();
  await someVotes(80);
  await workers[0].kill(); /* its state is on its own disk */
  await someVotes(80);
  settle();
  assert.deepEqual((await differsFromBatch()).slice(0, 10), []);
  await workers[0].start().ready();
});

test('at_rest_taxon_validity_and_grade_are_the_batch_answer_without_being_asked', long, async () => {
  await someVotes(150);
  const figures = /confidence|accuracy|weighs/;
  await until(async () => (await differsFromBatch()).slice(0, 5).join('\n'), async () => (await differsFromBatch()).every((line) => figures.test(line) || /n_author|n_vote| n:/.test(line)), 60000);
});

test('a_blocked_user_leaves_no_trace', long, async () => {
  await bulk([{ _id: `reviewer:${user(1)}`, kind: 'reviewer', role: 'reviewer', blocked: true }], 'linnet-reference');
  const blocked = new Set([user(1)]);
  await until(async () => (await differsFromBatch(blocked)).slice(0, 5).join('\n'), async () => { settle(); return (await differsFromBatch(blocked)).length === 0; }, 90000);
});

test('show_and_status_tell_it', long, async () => {
  const [both, alone] = [0, 1].map((i) => ({ ...observation(observations + i), observer: user(0), proposed_taxon: name(7) }));
  await bulk([both, alone, { ...validation(observations, 5), vote: 'taxon', taxon: 'taxon:g2', disagrees_with: undefined }]);
  settle();
  const story = store.must('show', both._id.slice(0, 26)).out;
  assert.match(story, /consensus: Genus2, needs_review, valid/);
  assert.match(story, /user0 .* for it +weight \d\.\d\d, the observer \(proposed\), since 2026-05-03T/);
  assert.match(story, /user5 .* for it +weight \d\.\d\d, since 2026-05-03T/);
  assert.match(story, /the species alone: Genus2 species7/);
  assert.match(story, /because needs review: Genus2 is no species/);
  assert.match(store.must('show', alone._id.slice(0, 26)).out, /because \d\.\d\d more weight for it would make it valid/);
  assert.match(store.must('status').out, /consensus: \d+ of 152 observations are valid by \d+ votes; the machine \(off\) took validity from 0/);
  const left = [...(await store.documents()).keys()].filter((id) => id.endsWith(':settle'));
  assert.deepEqual(left, [], 'requests are taken back');
});
