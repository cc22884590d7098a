'use strict';
/* What `linnet init` pushes: design documents that an old query server reads, and views that say what they promise. */
const { test } = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const vm = require('node:vm');
const { bundle } = require('../../../couchapp/generate/bundle');
const { Checks } = require('../../../couchapp/generate/checks');

const EXAMPLES = path.join(__dirname, '..', '..', '..', 'schemas', 'examples');
const example = (name) => JSON.parse(fs.readFileSync(path.join(EXAMPLES, name), 'utf8'));
const made = bundle();

function* functions() {
  for (const [name, database] of Object.entries(made.databases)) {
    for (const document of database.documents) {
      if (document.validate_doc_update) yield [`${name} ${document._id}`, document.validate_doc_update];
      for (const [view, { map }] of Object.entries(document.views || {})) yield [`${name} ${document._id} ${view}`, map];
    }
  }
}

/* What a view emits for documents: [key, value] pairs. */
function emitted(database, design, view, ...documents) {
  const rows = [];
  const { map } = made.databases[database].documents.find((document) => document._id === `_design/${design}`).views[view];
  const run = vm.runInNewContext(`(${map})`, { emit: (key, value) => rows.push([key, value]) });
  documents.forEach((document) => run(document));
  return JSON.parse(JSON.stringify(rows));
}

test('the_same_sources_make_the_same_documents', () => {
  assert.deepEqual(bundle(), made);
  for (const { documents } of Object.values(made.databases)) {
    for (const document of documents) assert.match(document.linnet.digest, /^[0-9a-f]{64}$/);
  }
});

test('functions_are_es5_and_stand_alone', () => {
  for (const [place, source] of functions()) {
    const code = source.replace(/\/(?:[^\/\\\n]|\\.)+\/(?=\.)/g, '0').replace(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/g, '""');
    assert.doesNotMatch(code, /=>|`|\b(let|const|class|async|await)\b|\bfor \([^;]* of |\.\.\.|\$/, place);
    assert.equal(typeof vm.runInNewContext(`(${source})`), 'function', place);
    assert.match(source, /^function ?\(/, place);
  }
});

test('what_looks_across_observations_is_not_partitioned', () => {
  for (const document of made.databases.main.documents) assert.deepEqual(document.options, { partitioned: false });
  assert.equal(made.databases.main.partitioned, true);
  assert.equal(made.databases.ops.partitioned, false);
});

test('only_operations_are_closed_to_the_public', () => {
  const { main, reference, ops } = made.databases;
  for (const { security } of [main, reference]) assert.deepEqual(security, { admins: { names: [], roles: ['admin'] }, members: { names: [], roles: [] } });
  assert.deepEqual(ops.security.members.roles, ['admin', 'worker']);
});

test('every_view_takes_every_kind_of_document', () => {
  const documents = fs.readdirSync(EXAMPLES).filter((name) => name.endsWith('.json')).map(example);
  for (const [name, database] of Object.entries(made.databases)) {
    for (const document of database.documents) {
      for (const view of Object.keys(document.views || {})) {
        const rows = emitted(name, document._id.slice('_design/'.length), view, ...documents);
        assert.ok(rows.length > 0, `${name}/${view} finds nothing in the examples`);
      }
    }
  }
});

test('views_say_what_they_promise', () => {
  const ulid = example('observation.json')._id.split(':')[0];
  const progress = emitted('main', 'linnet', 'progress', ...['observation', 'image', 'consensus', 'validation'].map((kind) => example(`${kind}.json`)));
  assert.deepEqual(progress, [[ulid, [1, 2, 0, 0, 0, 0, 0, 0]], [ulid, [0, 0, 1, 0, 0, 0, 0, 0]], [ulid, [0, 0, 0, 0, 0, 0, 1, 0]], [ulid, [0, 0, 0, 0, 0, 0, 0, 1]]]);
  assert.deepEqual(emitted('main', 'linnet', 'by_grade', example('consensus.json')), [[['research', ulid], 'taxon:quercus-robur']]);
  assert.deepEqual(emitted('main', 'linnet', 'by_day', example('observation.json')), [[[2026, 5, 3], null]]);
  assert.deepEqual(emitted('main', 'linnet', 'by_state', example('identification.json'))[0][0], ['identified', ulid]);
  assert.deepEqual(emitted('main', 'linnet', 'needs_review', { ...example('consensus.json'), grade: 'needs_review' }),
    [[ulid, { taxon: 'taxon:quercus-robur', confidence: 2.7, accuracy: 0.91, votes: 2 }]]);
  const open = { ...example('consensus.json'), grade: 'needs_review', confidence: 1.5, missing: 0.5, location: { decimalLatitude: 43.6, decimalLongitude: -0.2, precision: '0.2' } };
  assert.deepEqual(emitted('main', 'linnet', 'settle', open), [[[0.5, ulid], 'taxon:quercus-robur']]);
  for (const other of [{ grade: 'research' }, { confidence: 0 }, { missing: undefined }]) assert.deepEqual(emitted('main', 'linnet', 'settle', { ...open, ...other }), []);
  assert.deepEqual(emitted('main', 'linnet', 'by_place', open), [[[43, -1, 'needs_review', ulid], 'taxon:quercus-robur']]);
  assert.deepEqual(emitted('main', 'linnet', 'by_place', { ...open, location: { precision: 'withheld' } }), []);
  const named = emitted('main', 'people', 'documents', ...['observation', 'image', 'validation', 'consensus'].map((kind) => example(`${kind}.json`)));
  const [author, voter] = [example('observation.json').observer, example('validation.json').user];
  assert.deepEqual(named.map(([key]) => key), [[author, 'wrote'], [author, 'wrote'], [voter, 'wrote'], [author, 'named'], [voter, 'named']]);
  assert.deepEqual(emitted('ops', 'linnet', 'deadletters', example('deadletter.json'))[0][0].slice(0, 2), ['normalize', 'permanent']);
  assert.deepEqual(emitted('ops', 'linnet', 'shares', example('share.json'))[0][0], ['images', '07']);
  assert.deepEqual(emitted('ops', 'linnet', 'lag', { kind: 'worker', _id: 'worker:a', groups: { images: { lag_ms: 12 }, community: {} } }), [[['images'], 12]]);
  assert.deepEqual(emitted('reference', 'linnet', 'names', example('taxon.json')).map(([key]) => key[0]),
    ['quercus robur', 'pedunculate oak', 'english oak', 'chêne pédonculé']);
});

test('the_app_is_a_design_document_of_attachments_and_stays_where_it_was_not_built', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'linnet-app-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  fs.mkdirSync(path.join(folder, 'assets'));
  fs.writeFileSync(path.join(folder, 'index.html'), '<!doctype html>');
  fs.writeFileSync(path.join(folder, 'assets', 'a.js'), '1');
  const app = bundle(folder).databases.main.documents.find((document) => document._id === '_design/app');
  assert.deepEqual(Object.keys(app._attachments), ['assets/a.js', 'index.html']);
  assert.equal(app._attachments['assets/a.js'].content_type, 'text/javascript');
  assert.match(app.linnet.digest, /^[0-9a-f]{64}$/);
  assert.deepEqual(made.databases.main.keep, ['_design/app']);
  fs.writeFileSync(path.join(folder, 'x.exe'), '');
  assert.throws(() => bundle(folder), /no known type/);
});

test('every_language_of_the_app_has_every_text', async () => {
  const load = async (name) => (await import(path.join(__dirname, `../../../couchapp/web/src/i18n/${name}.js`))).default;
  const [en, fr] = await Promise.all([load('en'), load('fr')]);
  assert.deepEqual(Object.keys(fr).sort(), Object.keys(en).sort());
  const holes = (text) => [...JSON.stringify(text).matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  for (const key of Object.keys(en)) {
    assert.deepEqual([...new Set(holes(fr[key]))].sort(), [...new Set(holes(en[key]))].sort(), key);
    assert.deepEqual(Object.keys(Object(fr[key]) === fr[key] ? fr[key] : {}), Object.keys(Object(en[key]) === en[key] ? en[key] : {}), key);
  }
});

test('a_keyword_that_the_door_cannot_check_stops_the_build', () => {
  const checks = new Checks({});
  assert.throws(() => checks.compile({ type: 'object', properties: { x: { oneOf: [] } } }), /cannot check/);
  assert.throws(() => checks.compile({ type: 'object', properties: { x: { $ref: 'other.schema.json#/x' } } }), /nothing is at/);
});
