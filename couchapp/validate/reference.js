/* The door of the reference database: admins write it; workers write what they learn of users. */
module.exports = function (newDoc, oldDoc, userCtx, secObj) {
  function forbid(why) {
    throw ({ forbidden: why });
  }
  function role(name) {
    return userCtx.roles.indexOf(name) >= 0;
  }
  var required = $required;

  var admin = role('_admin') || role('admin');
  if (userCtx.name === null && !admin) throw ({ unauthorized: 'sign in to write' });
  var id = /^([a-z]+):.+$/.exec(newDoc._id), names = id && required[id[1] + ' '];
  if (!names) forbid('the id must be <kind>:<name>, the kind one of $kinds');
  if (!admin && !(role('worker') && $worker.indexOf(id[1]) >= 0)) forbid('only admins write documents of kind ' + id[1]);
  if (newDoc._deleted) return;
  if (newDoc.kind !== id[1]) forbid('kind must be "' + id[1] + '", as in the id');
  names.forEach(function (name) {
    if (newDoc[name] === undefined) forbid(name + ' is missing');
  });
};
