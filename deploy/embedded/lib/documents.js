'use strict';
/* Documents one by one and in bulk, and the writing of attachments. */
const { readBody, BODY_LIMIT } = require('./door');
const { sendJSON, sendError, handler } = require('./reply');
const { write } = require('./writes');

function revisionOf(req, document) {
  const match = req.headers['if-match'];
  return (document && document._rev) || (req.query.rev !== undefined ? String(req.query.rev) : match && match.replace(/^"|"$/g, ''));
}

/* Write one document and answer as PUT does. */
async function writeOne(store, req, res, document, newEdits) {
  const [answer] = await write(store, req, [document], newEdits);
  if (answer.error) return sendError(res, answer.status || 500, answer.error, answer.reason);
  res.setHeader('ETag', `"${answer.rev}"`);
  return sendJSON(res, document._deleted ? 200 : 201, { ok: true, id: answer.id, rev: answer.rev });
}

function getDocument(id) {
  const options = ['rev', 'revs', 'revs_info', 'open_revs', 'conflicts', 'attachments', 'latest'];
  return handler(async (req, res) => {
    const wanted = options.filter((name) => req.query[name] !== undefined).map((name) => [name, req.query[name]]);
    const document = await req.db.get(id(req), Object.fromEntries(wanted));
    if (document._rev) res.setHeader('ETag', `"${document._rev}"`);
    return sendJSON(res, 200, document);
  });
}

function withRevision(req, document) {
  const rev = revisionOf(req, document);
  if (rev) document._rev = rev;
  return document;
}

function putDocument(store, id) {
  return handler((req, res) => {
    const document = req.body;
    if (Array.isArray(document)) return sendError(res, 400, 'bad_request', 'Document must be a JSON object');
    if (document._id !== undefined && document._id !== id(req)) {
      return sendError(res, 400, 'bad_request', 'Document ID must match the URL');
    }
    document._id = id(req);
    return writeOne(store, req, res, withRevision(req, document), req.query.new_edits !== false);
  });
}

function deleteDocument(store, id) {
  return handler(async (req, res) => {
    const found = await req.db.get(id(req)).catch((error) => {
      if (error.status !== 404 || error.reason === 'missing') throw error;
      return null; // deleted already: PouchDB answers the conflict
    });
    const document = { _id: id(req), _rev: revisionOf(req), _deleted: true };
    if (found && !document._rev) return sendError(res, 409, 'conflict', 'Document update conflict.');
    return writeOne(store, req, res, document, true);
  });
}

function bulkDocs(store) {
  return handler(async (req, res) => {
    if (!Array.isArray(req.body.docs)) return sendError(res, 400, 'bad_request', 'POST body must include `docs` parameter.');
    const newEdits = req.body.new_edits !== false;
    const answers = await write(store, req, req.body.docs, newEdits);
    const shown = newEdits ? answers : answers.filter((answer) => answer.error);
    return sendJSON(res, 201, shown.map(({ status, ...answer }) => answer));
  });
}

/* The document with its attachments as stubs, changed by `change` and written back. */
function editAttachments(store, change) {
  return handler(async (req, res) => {
    const rev = revisionOf(req);
    const id = req.params.ddoc ? `_design/${req.params.ddoc}` : req.params.id;
    const bytes = req.method === 'PUT' ? await readBody(req, BODY_LIMIT) : null;
    const document = await req.db.get(id, rev ? { rev } : {}).catch((error) => {
      if (rev || req.method === 'DELETE') throw error;
      return { _id: id };
    });
    if (document._rev && document._rev !== rev) return sendError(res, 409, 'conflict', 'Document update conflict.');
    document._attachments = { ...document._attachments };
    if (!change(document._attachments, req, bytes)) return sendError(res, 404, 'not_found', 'Document is missing attachment');
    return writeOne(store, req, res, document, true);
  });
}

function addDocumentRoutes(app, store) {
  const put = editAttachments(store, (attachments, req, bytes) => {
    attachments[req.params.attachment] = {
      content_type: req.headers['content-type'] || 'application/octet-stream',
      data: bytes,
    };
    return true;
  });
  const drop = editAttachments(store, (attachments, req) => delete attachments[req.params.attachment] && true);
  const special = (prefix) => (req) => `${prefix}/${req.params.id}`;

  app.post('/:db/_bulk_docs', bulkDocs(store));
  app.post('/:db', handler((req, res) => writeOne(store, req, res, req.body, true)));
  for (const prefix of ['_design', '_local']) {
    app.get(`/:db/${prefix}/:id`, getDocument(special(prefix)));
    app.put(`/:db/${prefix}/:id`, putDocument(store, special(prefix)));
    app.delete(`/:db/${prefix}/:id`, deleteDocument(store, special(prefix)));
  }
  app.put('/:db/_design/:ddoc/:attachment(*)', put);
  app.delete('/:db/_design/:ddoc/:attachment(*)', drop);
  const get = getDocument((req) => req.params.id);
  app.get('/:db/:id', (req, res, next) => (req.params.id.startsWith('_') ? next() : get(req, res, next)));
  app.put('/:db/:id', putDocument(store, (req) => req.params.id));
  app.delete('/:db/:id', deleteDocument(store, (req) => req.params.id));
  app.put('/:db/:id/:attachment(*)', put);
  app.delete('/:db/:id/:attachment(*)', drop);
}

module.exports = { addDocumentRoutes };
