'use strict';
/* The door: which requests are served at all, and their bodies, parsed strictly and bounded.
 *
 * A list of what is let in, not of what is kept out: several of express-pouchdb's routes end the whole process or pass by
 * `_security` (built-in filters, multipart writes, rewrites, shows, temporary views, replication to anywhere). */
const { sendError, handler } = require('./reply');

const BODY_LIMIT = 96 * 1024 * 1024;
const DEPTH_LIMIT = 512;

const DB = '([a-z][a-z0-9_-]*|_users|_replicator|_global_changes)';
const SERVED = [
  ['GET', /^\/$/],
  ['GET', /^\/_(up|all_dbs|uuids|active_tasks)$/],
  ['GET POST DELETE', /^\/_session$/],
  ['GET PUT DELETE POST', new RegExp(`^/${DB}/?$`)],
  ['GET POST', new RegExp(`^/${DB}/_(all_docs|changes)$`)],
  ['POST', new RegExp(`^/${DB}/_(bulk_docs|bulk_get|revs_diff|compact|view_cleanup|ensure_full_commit|find|explain)$`)],
  ['GET POST', new RegExp(`^/${DB}/_index$`)],
  ['DELETE', new RegExp(`^/${DB}/_index/_design/[^/]+/json/[^/]+$`)],
  ['GET PUT', new RegExp(`^/${DB}/_security$`)],
  ['GET POST', new RegExp(`^/${DB}/_design/[^/]+/_view/[^/]+$`)],
  ['GET PUT DELETE', new RegExp(`^/${DB}/_design/[^/]+(/[^_/][^/]*(/[^/]+)*)?$`)],
  ['GET PUT DELETE', new RegExp(`^/${DB}/_local/[^/]+$`)],
  ['GET PUT DELETE', new RegExp(`^/${DB}/[^_/][^/]*(/[^_/][^/]*(/[^/]+)*)?$`)],
];
const REFUSED_FILTERS = ['_selector', '_design'];

/* The path's segments decoded once, `_design%2Fname` taken apart as CouchDB does; null if malformed. */
function segmentsOf(path) {
  const segments = [];
  for (const [index, raw] of path.split('/').slice(1).entries()) {
    let text;
    try {
      text = decodeURIComponent(raw);
    } catch {
      return null;
    }
    if (text === '.' || text === '..' || text.includes('\0')) return null;
    const special = index === 1 && /^(_design|_local)\/(.+)$/s.exec(text);
    segments.push(...(special ? special.slice(1) : [text]));
  }
  if (segments.length > 1 && segments[segments.length - 1] === '') segments.pop();
  return segments.includes('', 1) ? null : segments;
}

function served(method, path) {
  if (method === 'HEAD') method = 'GET';
  return SERVED.some(([methods, pattern]) => pattern.test(path) && methods.split(' ').includes(method));
}

function refuse(res, what) {
  sendError(res, 501, 'not_implemented', `the embedded store does not serve ${what}; use Apache CouchDB for it`);
}

/* What is wrong with the request, answered; true if it was. Later layers match on req.url, so they get the path in
 * the one form that was judged here. */
function refused(req, res, segments) {
  if (!segments) {
    sendError(res, 400, 'bad_request', 'malformed path');
    return true;
  }
  const path = `/${segments.map(encodeURIComponent).join('/')}`;
  if (!served(req.method, path)) {
    refuse(res, `${req.method} ${req.path}`);
    return true;
  }
  if (/^multipart\//i.test(req.headers['content-type'] || '')) {
    refuse(res, 'multipart bodies');
    return true;
  }
  const encoding = req.headers['content-encoding'] || 'identity';
  if (encoding !== 'identity') {
    sendError(res, 415, 'bad_content_encoding', `${encoding} is not supported`);
    return true;
  }
  if (segments[1] === '_changes' && REFUSED_FILTERS.includes(req.query.filter)) {
    refuse(res, `the filter ${req.query.filter}`);
    return true;
  }
  const query = req.url.indexOf('?');
  req.url = path + (query < 0 ? '' : req.url.slice(query));
  return false;
}

function readBody(req, limit) {
  return new Promise((resolve, reject) => {
    const chunks = [];
    let size = 0;
    req.on('data', (chunk) => {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
      else chunks.length = 0; // read on, keep nothing: the client hears why instead of a broken pipe
    });
    req.on('end', () =>
      size > limit ? reject({ status: 413, name: 'too_large', reason: `more than ${limit} bytes` }) : resolve(Buffer.concat(chunks)));
    req.on('error', reject);
    req.on('aborted', () => reject({ status: 400, name: 'bad_request', reason: 'aborted' }));
  });
}

/* True if a parsed value nests deeper than `limit`. Without recursion: that is what it guards. */
function deeper(value, limit) {
  let level = [value];
  for (let depth = 0; level.length; depth++) {
    if (depth > limit) return true;
    const next = [];
    for (const item of level) {
      if (item === null || typeof item !== 'object') continue;
      for (const child of Object.values(item)) if (child !== null && typeof child === 'object') next.push(child);
    }
    level = next;
  }
  return false;
}

/* What CouchDB's parser refuses and JavaScript's takes: half of a surrogate pair, a number beyond a double. Looked for only where the text
 * holds something that could be one. */
const LONE = /\p{Surrogate}/u;
const SUSPECT = /\\u[dD][89a-fA-F]|[0-9][eE]\+?[0-9]{3}|[0-9]{300}/;
const holdsWhatIsNoJSON = (value) => {
  if (typeof value === 'number') return !Number.isFinite(value);
  if (typeof value === 'string') return LONE.test(value);
  if (value === null || typeof value !== 'object') return false;
  return Object.entries(value).some(([key, member]) => holdsWhatIsNoJSON(key) || holdsWhatIsNoJSON(member));
};

function parseStrictly(bytes) {
  const bad = (reason) => ({ status: 400, name: 'bad_request', reason });
  let value, text;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    value = JSON.parse(text);
  } catch (error) {
    throw bad(error instanceof SyntaxError ? 'invalid UTF-8 JSON' : 'invalid UTF-8');
  }
  if (value === null || typeof value !== 'object') throw bad('the body must be a JSON object');
  if (deeper(value, DEPTH_LIMIT)) throw bad(`nested deeper than ${DEPTH_LIMIT}`);
  if (SUSPECT.test(text) && holdsWhatIsNoJSON(value)) throw bad('invalid UTF-8 JSON');
  return value;
}

/* An attachment's bytes, or a form, stay for their route. */
function isJSONRequest(req, segments) {
  if (!['POST', 'PUT'].includes(req.method)) return false;
  if (segments[0] === '_session' && /urlencoded/.test(req.headers['content-type'] || '')) return false;
  if (req.method === 'PUT') {
    const depth = ['_design', '_local'].includes(segments[1]) ? 3 : 2;
    return segments.length <= depth;
  }
  return true;
}

/* Middleware: lets in what is served, with req.body the parsed JSON ({} when there was none). */
function door() {
  return handler(async (req, res, next) => {
    const segments = segmentsOf(req.path);
    if (refused(req, res, segments)) return;
    if (isJSONRequest(req, segments)) {
      const bytes = await readBody(req, BODY_LIMIT);
      req.body = bytes.length ? parseStrictly(bytes) : {};
      req._body = true; // body-parser's sign that there is nothing left to parse
    }
    next();
  });
}

module.exports = { door, readBody, BODY_LIMIT, deeper, served };
