'use strict';
/* What is expected of hostile documents holds at the door of the database (validate_doc_update).
 *
 *     node --test test_documents.js     with LINNET_FLORA set to the program
 */
const { test, before, after } = require('node:test');
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const vm = require('node:vm');
const { bundle } = require('../../couchapp/generate/bundle');

const UID = 'k3v9x2m7q1';
let folder, manifest, door;

before(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'linnet-hostile-'));
  execFileSync(process.env.LINNET_FLORA, ['hostile', '--documents-only', '--uid', UID, '--out', folder]);
  manifest = JSON.parse(fs.readFileSync(path.join(folder, 'manifest.json'), 'utf8'));
  const { validate_doc_update: source } = bundle().databases.main.documents.find((document) => document.validate_doc_update);
  door = vm.runInNewContext(`(${source})`);
});
after(() => fs.rmSync(folder, { recursive: true }));

/* What becomes of a body that a user PUTs: 'forbidden', or 'passed' on to the workers. A store refuses what it cannot parse. */
function put(entry) {
  const body = fs.readFileSync(path.join(folder, entry.file));
  let document;
  try {
    document = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return 'forbidden';
  }
  if (document === null || typeof document !== 'object' || Array.isArray(document)) return 'forbidden';
  try {
    door({ ...document, _id: entry.id }, null, { db: 'linnet', name: 'somebody', roles: [`u:${UID}`] }, {});
    return 'passed';
  } catch (thrown) {
    if (thrown.forbidden) return 'forbidden';
    throw thrown;
  }
}

test('the_door_does_with_every_document_what_is_expected', () => {
  const wrong = [];
  for (const entry of manifest.filter(({ kind }) => kind === 'document')) {
    const got = put(entry);
    const allowed = [entry.expected, entry.also].filter(Boolean).map((outcome) => (outcome === 'forbidden' ? outcome : 'passed'));
    if (!allowed.includes(got)) wrong.push(`${entry.file}: ${got}, not ${entry.expected} (${entry.what})`);
  }
  assert.deepEqual(wrong, []);
});

test('good_documents_differ_from_bad_ones_in_what_they_say', () => {
  const newer = manifest.find(({ file }) => file === 'documents/newer-app.json');
  assert.equal(put(newer), 'passed');
});
