'use strict';
/* The doors of the databases (validate_doc_update), as functions: who may write what, and what a hostile client tries. */
const { test } = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');
const { bundle } = require('../../../couchapp/generate/bundle');

const EXAMPLES = path.join(__dirname, '..', '..', '..', 'schemas', 'examples');
const made = bundle();
const door = (database) => {
  const { validate_doc_update: source } = made.databases[database].documents.find((document) => document.validate_doc_update);
  return vm.runInNewContext(`(${source})`);
};
const main = door('main');
const reference = door('reference');

const example = (name) => JSON.parse(fs.readFileSync(path.join(EXAMPLES, name), 'utf8'));
const user = (uid, ...roles) => ({ db: 'linnet', name: `login-of-${uid}`, roles: [`u:${uid}`, ...roles] });
const ADMIN = { db: 'linnet', name: 'root', roles: ['_admin'] };
const SITE_ADMIN = { db: 'linnet', name: 'ada', roles: ['admin', 'u:ada'] };
const WORKER = { db: 'linnet', name: 'worker', roles: ['worker'] };
const NOBODY = { db: 'linnet', name: null, roles: [] };

/* null if the write goes through, else what is said. */
function ask(run, newDoc, oldDoc, userCtx) {
  try {
    run(newDoc, oldDoc, userCtx, {});
    return null;
  } catch (thrown) {
    if (thrown.forbidden) return thrown.forbidden;
    if (thrown.unauthorized) return `unauthorized: ${thrown.unauthorized}`;
    throw thrown;
  }
}

const observation = example('observation.json');
const image = example('image.json');
const validation = example('validation.json');
const comment = example('comment.json');
const flag = example('flag.json');
const owner = user(observation.observer);
const voter = user(validation.user);
const other = user('somebodyelse');
const stored = (document) => ({ ...document, _rev: '1-a' });
const tombstone = (document) => ({ _id: document._id, _rev: '1-a', _deleted: true });

test('users_write_their_own', () => {
  assert.equal(ask(main, observation, null, owner), null);
  assert.equal(ask(main, image, null, owner), null);
  assert.equal(ask(main, validation, null, voter), null);
  assert.equal(ask(main, { ...observation, wild: false }, stored(observation), owner), null);
  assert.equal(ask(main, { ...validation, vote: 'cannot-tell', taxon: undefined }, stored(validation), voter), null);
  assert.equal(ask(main, { ...observation, _id: observation._id, mood: { of: ['a', 'newer', 'app'] } }, null, owner), null);
});

test('users_do_not_write_for_others', () => {
  for (const document of [observation, image]) assert.match(ask(main, document, null, other), /observer must be yourself/);
  assert.match(ask(main, validation, null, other), /user must be yourself/);
  assert.match(ask(main, { ...validation, user: 'somebodyelse' }, null, other), /end with the user/);
  assert.match(ask(main, { ...observation, observer: 'somebodyelse' }, stored(observation), other), /observer may not change/);
  assert.match(ask(main, { ...observation, observer: [observation.observer] }, null, owner), /observer is malformed/);
  assert.match(ask(main, observation, null, NOBODY), /unauthorized/);
  assert.match(ask(main, observation, null, { db: 'linnet', name: 'norole', roles: [] }), /observer must be yourself/);
  assert.match(ask(main, observation, null, { db: 'linnet', name: observation.observer, roles: ['u:'] }), /observer must be yourself/);
});

test('comments_and_flags_are_for_those_who_write_them', () => {
  for (const document of [comment, flag]) {
    assert.equal(ask(main, document, null, voter), null);
    assert.match(ask(main, document, null, other), /user must be yourself/);
    assert.match(ask(main, document, null, NOBODY), /unauthorized/);
    assert.match(ask(main, document, null, WORKER), /workers make no/);
    assert.equal(ask(main, tombstone(document), stored(document), voter), null);
    assert.match(ask(main, tombstone(document), stored(document), other), /only who wrote/);
    assert.equal(ask(main, tombstone(document), stored(document), SITE_ADMIN), null);
  }
  assert.match(ask(main, { ...flag, user: 'somebodyelse' }, null, other), /end with the user/);
});

test('images_never_change', () => {
  assert.match(ask(main, { ...image, created_at: '2027-01-01T00:00:00Z' }, stored(image), owner), /never changes/);
  assert.equal(ask(main, image, { ...tombstone(image) }, owner), null);
  assert.equal(ask(main, image, stored(image), WORKER), null);
});

test('tombstones_are_judged_by_what_they_replace', () => {
  for (const [document, writer] of [[observation, owner], [image, owner], [validation, voter]]) {
    assert.equal(ask(main, tombstone(document), stored(document), writer), null);
    assert.match(ask(main, tombstone(document), stored(document), other), /only who wrote/);
    assert.match(ask(main, tombstone(document), null, writer), /only who wrote/);
    assert.match(ask(main, tombstone(document), tombstone(document), writer), /only who wrote/);
    assert.match(ask(main, { ...document, _deleted: true }, stored(document), writer), /keeps nothing/);
    assert.equal(ask(main, tombstone(document), stored(document), WORKER), null);
    assert.equal(ask(main, tombstone(document), null, WORKER), null);
  }
  assert.match(ask(main, tombstone(example('consensus.json')), stored(example('consensus.json')), owner), /only workers/);
  assert.match(ask(main, { ...tombstone(observation), observer: 'somebodyelse' }, stored(observation), other), /only who wrote/);
});

test('results_are_for_workers', () => {
  for (const kind of ['normalized', 'prediction', 'identification', 'consensus']) {
    const document = example(`${kind}.json`);
    assert.equal(ask(main, document, null, WORKER), null);
    assert.equal(ask(main, document, null, ADMIN), null);
    assert.match(ask(main, document, null, user('x', 'reviewer')), /only workers/);
    assert.match(ask(main, { ...document, kind: 'image' }, null, WORKER), /kind must be/);
  }
  const foreign = { _id: `${observation._id.split(':')[0]}:somebody_own:x`, kind: 'somebody_own' };
  assert.equal(ask(main, foreign, null, WORKER), null);
  assert.match(ask(main, foreign, null, owner), /only workers/);
});

test('workers_settle_but_do_not_make_what_people_write', () => {
  for (const document of [observation, image, validation]) {
    assert.match(ask(main, document, null, WORKER), /workers make no/);
    assert.match(ask(main, document, tombstone(document), WORKER), /workers make no/);
    assert.equal(ask(main, document, stored(document), WORKER), null);
  }
  assert.match(ask(main, { ...observation, observer: 'somebodyelse' }, stored(observation), WORKER), /may not change/);
});

test('admins_write_what_is_well_formed', () => {
  for (const admin of [ADMIN, SITE_ADMIN]) {
    assert.equal(ask(main, observation, null, admin), null);
    assert.match(ask(main, { ...observation, views: [] }, null, admin), /views/);
    assert.match(ask(main, { ...observation, _id: 'x' }, null, admin), /the id must be/);
    assert.match(ask(main, { ...observation, observer: 'somebodyelse' }, stored(observation), admin), /may not change/);
  }
});

test('ids_and_kinds_belong_together', () => {
  const ulid = observation._id.split(':')[0];
  for (const id of ['', 'x', ulid, `${ulid}:`, `${ulid}:Observation`, `${ulid.toLowerCase()}:observation`, `${ulid}:observation:more`, `:observation`,
    `${ulid}:observation\n`, `${ulid}X:observation`, 'observation:observation']) {
    assert.notEqual(ask(main, { ...observation, _id: id }, null, owner), null, id);
  }
  for (const kind of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    assert.notEqual(ask(main, { ...observation, _id: `${ulid}:${kind}`, kind }, null, owner), null, kind);
  }
  for (const kind of [undefined, null, 7, ['observation'], 'image']) assert.match(ask(main, { ...observation, kind }, null, owner), /kind must be/);
});

test('places_are_rounded_before_they_are_written', () => {
  const at = (decimalLatitude, decimalLongitude) => ({ ...observation, location: { decimalLatitude, decimalLongitude } });
  for (const [lat, lon] of [[43.6, 3.8], [-0.2, 0], [90, -180], [43.599999999999994, 218 * 0.2 - 43.6 * 2]]) {
    assert.equal(ask(main, at(lat, lon), null, owner), null, `${lat}, ${lon}`);
  }
  for (const [lat, lon] of [[43.61, 3.8], [43.6, 3.8765], [43.60001, 3.8]]) assert.match(ask(main, at(lat, lon), null, owner), /rounded/);
  for (const lat of ['43.6', null, {}, [43.6], NaN, Infinity]) assert.match(ask(main, at(lat, 3.8), null, owner), /out of range/);
});

test('too_much_is_refused', () => {
  const many = Array.from({ length: 10000 }, () => observation.views[0]);
  assert.match(ask(main, { ...observation, views: many }, null, owner), /64 KiB|list of 1 to 10/);
  assert.match(ask(main, { ...observation, views: many.slice(0, 11) }, null, owner), /list of 1 to 10/);
  assert.match(ask(main, { ...observation, note: 'x'.repeat(70000) }, null, owner), /64 KiB/);
  let deep = {};
  for (let i = 0; i < 20; i++) deep = { deep };
  assert.match(ask(main, { ...observation, deep }, null, owner), /too deep/);
  let abyss = [];
  for (let i = 0; i < 3000; i++) abyss = [abyss];
  assert.match(ask(main, { ...observation, views: abyss }, null, owner), /too deep/);
  const history = { start: 1000, ids: Array.from({ length: 1000 }, () => 'f'.repeat(32)) };
  assert.equal(ask(main, { ...observation, _revisions: history }, stored(observation), owner), null);
  const votes = Object.fromEntries(Array.from({ length: 11 }, (_, i) => [String(i).padStart(64, '0'), {}]));
  assert.match(ask(main, { ...validation, views: votes }, null, voter), /too many/);
});

test('attachments_are_for_images_alone', () => {
  const { _attachments } = image;
  assert.match(ask(main, { ...observation, _attachments }, null, owner), /only images/);
  assert.match(ask(main, { ...validation, _attachments }, null, voter), /only images/);
  assert.match(ask(main, { ...image, _attachments: undefined }, null, owner), /_attachments is missing/);
  assert.match(ask(main, { ...image, _attachments: { ..._attachments, more: _attachments.original } }, null, owner), /may not have/);
  assert.match(ask(main, { ...image, _attachments: { original: { ..._attachments.original, length: 1e9 } } }, null, owner), /length/);
  for (const type of ['image/svg+xml', 'application/pdf', 'text/html', undefined]) {
    assert.notEqual(ask(main, { ...image, _attachments: { original: { ..._attachments.original, content_type: type } } }, null, owner), null);
  }
});

test('the_door_agrees_with_the_schemas', () => {
  const writers = { observation: owner, image: owner, validation: voter, comment: voter, flag: voter };
  const kindOf = (name) => name.replace(/[-.].*$/, '');
  for (const name of fs.readdirSync(EXAMPLES).filter((file) => writers[kindOf(file)])) {
    assert.equal(ask(main, example(name), null, writers[kindOf(name)]), null, name);
  }
  for (const name of fs.readdirSync(path.join(EXAMPLES, 'invalid')).filter((file) => writers[kindOf(file)])) {
    assert.notEqual(ask(main, example(`invalid/${name}`), null, writers[kindOf(name)]), null, name);
  }
});

test('the_reference_database_is_for_admins_and_skill_and_wanted_for_workers', () => {
  for (const kind of ['taxon', 'flora', 'model', 'reviewer', 'wanted', 'skill', 'site']) {
    const document = example(`${kind}.json`);
    assert.equal(ask(reference, document, null, ADMIN), null);
    assert.equal(ask(reference, document, null, SITE_ADMIN), null);
    assert.match(ask(reference, document, null, NOBODY), /unauthorized/);
    assert.match(ask(reference, document, null, voter), /only admins/);
    assert.match(ask(reference, tombstone(document), stored(document), voter), /only admins/);
    assert.equal(ask(reference, document, null, WORKER), ['skill', 'wanted'].includes(kind) ? null : `only admins write documents of kind ${kind}`);
    assert.match(ask(reference, { ...document, kind: 'other' }, null, ADMIN), /kind must be/);
  }
  assert.match(ask(reference, { _id: 'other:x', kind: 'other' }, null, ADMIN), /the id must be/);
  assert.match(ask(reference, { _id: 'constructor:x', kind: 'constructor' }, null, ADMIN), /the id must be/);
  assert.match(ask(reference, { _id: 'reviewer:x', kind: 'reviewer', role: 'reviewer' }, null, ADMIN), /blocked is missing/);
});
