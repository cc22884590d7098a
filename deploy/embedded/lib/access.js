'use strict';
/* Who may do what, by the session and the database's _security object, as CouchDB 3 has it. */

/* What CouchDB 3 gives a new database: nobody but server admins. */
const CLOSED = { admins: { names: [], roles: ['_admin'] }, members: { names: [], roles: ['_admin'] } };

const list = (section, key) => (section && Array.isArray(section[key]) ? section[key] : []);

function named(userCtx, section) {
  return list(section, 'names').includes(userCtx.name) || list(section, 'roles').some((role) => userCtx.roles.includes(role));
}

function isServerAdmin(userCtx) {
  return userCtx.roles.includes('_admin');
}

function isDatabaseAdmin(userCtx, security) {
  return isServerAdmin(userCtx) || named(userCtx, security.admins);
}

function isMember(userCtx, security) {
  const open = list(security.members, 'names').length + list(security.members, 'roles').length === 0;
  return open || isDatabaseAdmin(userCtx, security) || named(userCtx, security.members);
}

/* Thrown by `require…`; the handler answers it. */
function denied(userCtx) {
  return userCtx.name === null
    ? { status: 401, name: 'unauthorized', reason: 'You are not authorized to access this db.' }
    : { status: 403, name: 'forbidden', reason: 'You are not allowed to access this db.' };
}

module.exports = { CLOSED, isServerAdmin, isDatabaseAdmin, isMember, denied };
