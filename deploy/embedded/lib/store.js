'use strict';
/* The application: our door and our writes around the parts of express-pouchdb that read.
 *
 * express-pouchdb is put together part by part, so that what decides (the door, access, validation) stands before what
 * acts. Its version is pinned: the parts are loaded by their paths. */
const fs = require('fs');
const path = require('path');
const express = require('express');
const Auth = require('pouchdb-auth');
const Security = require('pouchdb-security');
const expressPouchDB = require('express-pouchdb');
const databases = require('express-pouchdb/lib/create-or-delete-dbs');
const utils = require('express-pouchdb/lib/utils');
const BasePouchDB = require('pouchdb');

const { CLOSED, isServerAdmin, isDatabaseAdmin, isMember, denied } = require('./access');
const { Feeds, changes } = require('./changes');
const { compress } = require('./compress');
const { door } = require('./door');
const { addDocumentRoutes } = require('./documents');
const { sendJSON, sendError, handler } = require('./reply');
const { guardUsers } = require('./users');
const { Validation } = require('./validation');
const { version } = require('../package.json');

const EARLY = ['config-infrastructure', 'logging-infrastructure', 'routes/authentication', 'routes/session', 'routes/uuids'];
const LATE = ['routes/bulk-get', 'routes/all-docs', 'routes/compact', 'routes/revs-diff', 'routes/view-cleanup', 'routes/find',
  'routes/views', 'routes/attachments', 'routes/404'];
const VIEW_BATCH = 1000; // changes that a view takes up at once: with PouchDB's 50 the first look at a big store takes 1.6 times as long
const ADMIN_METHODS = { _compact: 'POST', _view_cleanup: 'POST', _index: 'POST DELETE', _security: 'PUT' };

/* PouchDB with its databases in `dir`, listed by what lies there: a list of their own could be lost by a kill. */
function definePouchDB(dir) {
  const PouchDB = BasePouchDB.defaults({ prefix: `${dir}${path.sep}`, auto_compaction: false, view_update_changes_batch_size: VIEW_BATCH });
  PouchDB.allDbs = function allDbs(callback) {
    const names = fs.readdirSync(dir, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !/-mrview-/.test(entry.name) && fs.existsSync(path.join(dir, entry.name, 'CURRENT')))
      .map((entry) => entry.name)
      .sort();
    if (callback) callback(null, names);
    return Promise.resolve(names);
  };
  return PouchDB;
}

function needServerAdmin(req, res, next) {
  if (isServerAdmin(req.couchSession.userCtx)) return next();
  return sendError(res, 401, 'unauthorized', 'You are not a server admin.');
}

function addServerRoutes(app, store) {
  app.get('/_up', (req, res) => sendJSON(res, 200, { status: 'ok', feeds: store.feeds.open.size }));
  app.get('/', (req, res) => sendJSON(res, 200, {
    couchdb: 'Welcome',
    version,
    features: [],
    vendor: { name: 'Linnet embedded store (express-pouchdb)', version: require('express-pouchdb/package.json').version },
  }));
  app.get('/_all_dbs', needServerAdmin, handler(async (req, res) => sendJSON(res, 200, await req.PouchDB.allDbs())));
  app.get('/_active_tasks', needServerAdmin, (req, res) => sendJSON(res, 200, []));
  app.put('/:db', needServerAdmin, handler(createDatabase));
  app.delete('/:db', needServerAdmin, handler(async (req, res) => {
    const name = req.params.db;
    if (!(await req.PouchDB.allDbs()).includes(name)) return sendError(res, 404, 'not_found', 'Database does not exist.');
    store.validation.forget(name);
    await databases.deleteDB(req.PouchDB, name, {});
    return sendJSON(res, 200, { ok: true });
  }));
}

async function createDatabase(req, res) {
  const name = req.params.db;
  if ((await req.PouchDB.allDbs()).includes(name)) {
    return sendError(res, 412, 'file_exists', 'The database could not be created, the file already exists.');
  }
  const db = await databases.getOrCreateDB(req.PouchDB, name);
  await db.put({ _id: '_local/_security', security: CLOSED });
  res.setHeader('Location', `/${name}`);
  return sendJSON(res, 201, { ok: true });
}

/* Find the database and its security object; who is asking, and may they come in? */
async function admit(req, res, next) {
  const { userCtx } = req.couchSession;
  const stored = await req.db.getSecurity();
  const security = stored && Object.keys(stored).length ? stored : CLOSED;
  req.dbName = req.params.db;
  req.couchSecurityObj = security;
  req.access = { userCtx, security, serverAdmin: isServerAdmin(userCtx), databaseAdmin: isDatabaseAdmin(userCtx, security) };
  if (req.dbName !== '_users' && !isMember(userCtx, security)) throw denied(userCtx);
  const methods = ADMIN_METHODS[req.path.split('/')[2]] || '';
  if (methods.split(' ').includes(req.method) && !req.access.databaseAdmin) throw denied(userCtx);
  next();
}

/* Identity and size. `uuid` stays with the database through restarts and differs once it was made anew. */
async function describe(req, res) {
  const [info, uuid] = await Promise.all([req.db.info(), req.db.id()]);
  sendJSON(res, 200, { ...info, db_name: req.dbName, uuid: uuid.replace(/-/g, ''), instance_start_time: '0', props: {} });
}

function addDatabaseRoutes(app, store) {
  for (const pattern of ['/:db/*', '/:db']) {
    app.all(pattern, (req, res, next) => utils.setDBOnReq(req.params.db, app.dbWrapper, req, res, next));
    app.all(pattern, handler(admit), handler(guardUsers));
  }
  app.get('/:db', handler(describe));
  app.all('/:db/_changes', changes(store.feeds));
  app.get('/:db/_security', (req, res) => sendJSON(res, 200, req.access.security));
  app.put('/:db/_security', handler(async (req, res) => sendJSON(res, 200, await req.db.putSecurity(req.body))));
  app.post('/:db/_ensure_full_commit', (req, res) => sendJSON(res, 201, { ok: true, instance_start_time: '0' }));
  app.get('/:db/:id/:attachment(*)', (req, res, next) => {
    if (req.params.id !== '_design') res.setHeader('Content-Security-Policy', 'sandbox');
    res.setHeader('X-Content-Type-Options', 'nosniff');
    next();
  }, compress());
  addDocumentRoutes(app, store);
}

function include(app, part) {
  app.includes[part] = true;
  require(`express-pouchdb/lib/${part}`)(app);
}

/* express-pouchdb up to the session, then ours, then its parts that read. */
async function createInner(options, store) {
  const inner = expressPouchDB({ mode: 'custom', inMemoryConfig: true, logPath: '/dev/null', overrideMode: { include: EARLY } });
  const [name, password] = options.admin.split(/:(.*)/s);
  const hashed = await Auth.hashAdminPasswords({ [name]: password });
  inner.couchConfig.registerDefault('admins', name, hashed[name]);
  inner.couchConfig.registerDefault('couch_httpd_auth', 'secret', options.secret);
  inner.couchConfig.registerDefault('log', 'level', 'none');
  inner.daemonManager.registerDaemon({ start: (PouchDB) => PouchDB.plugin(Security) });
  addServerRoutes(inner, store);
  addDatabaseRoutes(inner, store);
  inner.includes['routes/db'] = true; // in ours
  for (const part of LATE) include(inner, part);
  return inner;
}

/* { app, endFeeds(), close() } of a store with its databases in options.dir. */
async function createStore(options) {
  const PouchDB = definePouchDB(options.dir);
  const store = { feeds: new Feeds(), validation: new Validation() };
  const inner = await createInner(options, store);
  await inner.setPouchDB(PouchDB);
  const app = express();
  app.disable('x-powered-by');
  app.use(door());
  app.use(inner);
  app.use((error, req, res, next) => (res.headersSent ? next(error) : sendError(res, error.status || 500, 'bad_request', error.message)));
  await new PouchDB('_users').info();
  return {
    app,
    endFeeds: () => store.feeds.end(),
    close: async () => {
      store.feeds.close();
      const open = PouchDB.__dbCacheMap ? [...PouchDB.__dbCacheMap.values()] : [];
      await Promise.all(open.map((db) => db.close().catch(() => {})));
    },
  };
}

module.exports = { createStore };
