'use strict';
/* Answers as CouchDB gives them. */

function sendJSON(res, status, body) {
  res.status(status);
  res.setHeader('Content-Type', 'application/json');
  res.end(`${JSON.stringify(body)}\n`);
}

function sendError(res, status, error, reason) {
  sendJSON(res, status, { error, reason });
}

/* Whatever PouchDB or one of its plugins threw. */
function sendFailure(res, failure) {
  const status = Number.isInteger(failure.status) && failure.status >= 400 ? failure.status : 500;
  const name = failure.name && failure.name !== 'Error' ? failure.name : 'internal_error';
  sendError(res, status, name, failure.reason || failure.message || 'unknown');
}

/* A handler that may be async: what it throws is answered, never left to crash the process. */
function handler(run) {
  return (req, res, next) => {
    Promise.resolve()
      .then(() => run(req, res, next))
      .catch((failure) => (res.headersSent ? res.destroy() : sendFailure(res, failure)));
  };
}

module.exports = { sendJSON, sendError, sendFailure, handler };
