'use strict';
/* Every write of a document goes through here: access, validation, PouchDB, answers in the order of the documents. */
const crypto = require('crypto');
const { isDatabaseAdmin, denied } = require('./access');

const plain = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

/* The document that a write replaces, as CouchDB hands it to the validation: the revision named; for replicated
 * revisions the nearest ancestor that is a leaf here. */
async function replacedBy(db, document, newEdits) {
  if (newEdits) {
    if (!document._rev) return null;
    return db.get(document._id, { rev: document._rev }).catch(() => null);
  }
  const history = document._revisions;
  if (!history || !Array.isArray(history.ids)) return null;
  const known = history.ids.slice(1).map((id, index) => `${history.start - 1 - index}-${id}`);
  const leaves = await db.get(document._id, { open_revs: 'all' }).catch(() => []);
  const found = leaves.map((leaf) => leaf.ok).filter((leaf) => leaf && known.includes(leaf._rev));
  return found[0] || null;
}

function failure(document, error, reason, status) {
  return { id: document && document._id, error, reason, status };
}

/* CouchDB takes attachments that don't say what they are, and stubs that say nothing else; PouchDB wants both spelt out.
 * False where one is neither. */
function completeAttachments(document, replaced) {
  const { _attachments: attachments } = document;
  if (attachments === undefined) return true;
  if (!plain(attachments)) return false;
  const stored = (replaced && replaced._attachments) || {};
  for (const [name, attachment] of Object.entries(attachments)) {
    if (!plain(attachment)) return false;
    if (attachment.stub && !stored[name]) return false;
    if (attachment.stub) attachments[name] = { ...stored[name] };
    else if (typeof attachment.content_type !== 'string') attachment.content_type = 'application/octet-stream';
  }
  return true;
}

const hasStubs = ({ _attachments }) => plain(_attachments) && Object.values(_attachments).some((one) => plain(one) && one.stub);

/* What forbids one document before it reaches PouchDB; null if nothing. */
async function objection(store, req, document, newEdits, functions) {
  const { userCtx, security } = req.access;
  if (!plain(document)) return failure(document, 'bad_request', 'Document must be a JSON object', 400);
  if (typeof document._id !== 'string' || document._id === '') return failure(document, 'illegal_docid', 'Document id must be a string', 400);
  if (/^_(?!design\/.|local\/.)/.test(document._id)) return failure(document, 'illegal_docid', 'Only reserved document ids may start with underscore.', 400);
  const judged = functions.length > 0 && !/^_(design|local)\//.test(document._id);
  const replaced = judged || hasStubs(document) ? await replacedBy(req.db, document, newEdits) : null;
  if (newEdits && document._rev && hasStubs(document) && !replaced) return failure(document, 'conflict', 'Document update conflict.', 409);
  if (!completeAttachments(document, replaced)) return failure(document, 'missing_stub', 'an attachment is neither there nor sent', 412);
  if (document._id.startsWith('_design/') && !isDatabaseAdmin(userCtx, security)) {
    return failure(document, 'unauthorized', 'You are not a db or server admin.', 401);
  }
  if (!judged) return null;
  const verdict = store.validation.verdict(functions, document, replaced, { ...userCtx, db: req.dbName }, security);
  return verdict && failure(document, verdict.error, verdict.reason, verdict.status);
}

/* PouchDB's answers for replicated revisions name the failures only. */
function align(documents, answers, newEdits) {
  if (newEdits) return answers.map((answer) => tidy(answer));
  const failed = new Map(answers.filter((answer) => answer.error).map((answer) => [answer.id, tidy(answer)]));
  return documents.map((document) => failed.get(document._id) || { ok: true, id: document._id, rev: document._rev });
}

function tidy(answer) {
  if (!answer.error) return { ok: true, id: answer.id, rev: answer.rev };
  return failure({ _id: answer.id }, answer.name, answer.reason || answer.message, answer.status);
}

/* Of two edits of one document in one request CouchDB takes the first; PouchDB would make a conflict of them whose losing leaf has
 * no body. */
function refuseRepeats(documents, answers) {
  const seen = new Set();
  documents.forEach((document, index) => {
    if (answers[index]) return;
    if (seen.has(document._id)) answers[index] = failure(document, 'conflict', 'Document update conflict.', 409);
    seen.add(document._id);
  });
}

/* One write of a database at a time. Two calls of PouchDB's bulkDocs side by side can both extend one revision of a document: a
 * conflict that nobody made, its losing leaf without a body. CouchDB answers 409 to the second. */
const tails = new Map();

async function oneAtATime(name, act) {
  const before = tails.get(name) || Promise.resolve();
  const mine = before.then(act, act);
  const tail = mine.catch(() => {});
  tails.set(name, tail);
  try {
    return await mine;
  } finally {
    if (tails.get(name) === tail) tails.delete(name);
  }
}

/* Write documents. One answer each, in order: {ok, id, rev} or {id, error, reason, status}. */
function write(store, req, documents, newEdits) {
  return oneAtATime(req.dbName, () => writeNow(store, req, documents, newEdits));
}

async function writeNow(store, req, documents, newEdits) {
  if (req.access.userCtx.name === null && !req.access.serverAdmin) throw denied(req.access.userCtx);
  for (const document of documents) if (plain(document) && document._id === undefined) document._id = crypto.randomUUID().replace(/-/g, '');
  const functions = req.dbName === '_users' ? [] : await store.validation.functions(req.dbName, req.db);
  const answers = await Promise.all(documents.map((document) => objection(store, req, document, newEdits, functions)));
  if (newEdits) refuseRepeats(documents, answers);
  const passed = documents.filter((document, index) => !answers[index]);
  if (passed.length) {
    const given = align(passed, await req.db.bulkDocs({ docs: passed, new_edits: newEdits }, { new_edits: newEdits }), newEdits);
    documents.forEach((document, index) => {
      if (!answers[index]) answers[index] = given.shift();
    });
  }
  if (passed.some((document) => document._id.startsWith('_design/'))) store.validation.forget(req.dbName);
  return answers;
}

module.exports = { write };
