'use strict';
/* The users' database for those who are not server admins: their own document, and of it nothing but the password.
 * (express-pouchdb makes every user an admin of the own document, roles included.) */
const { denied } = require('./access');

const PREFIX = 'org.couchdb.user:';

const sameList = (a, b) => Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, i) => item === b[i]);

async function guardUsers(req, res, next) {
  if (req.dbName !== '_users' || req.access.serverAdmin) return next();
  const { userCtx } = req.access;
  const id = decodeURIComponent(req.path.slice('/_users/'.length));
  if (userCtx.name === null || id !== PREFIX + userCtx.name) throw denied(userCtx);
  if (req.method === 'GET' || req.method === 'HEAD') return next();
  if (req.method !== 'PUT') throw denied(userCtx);
  const stored = await req.db.get(id);
  const { body } = req;
  if (body.name !== stored.name || body.type !== 'user' || !sameList(body.roles, stored.roles)) {
    throw { status: 403, name: 'forbidden', reason: 'Only _admin may edit roles.' };
  }
  return next();
}

module.exports = { guardUsers };
