/* The door of the main database: who may write what. It runs for every write, so what a worker writes takes the short way.
 * `checkers` are made from schemas/ by the build. ES5: CouchDB's query server may be that old. */
module.exports = function (newDoc, oldDoc, userCtx, secObj) {
  function forbid(why) {
    throw ({ forbidden: why });
  }
  function plain(value) {
    return value !== null && typeof value === 'object' && !Array.isArray(value);
  }
  function has(value, names, label) {
    names.forEach(function (name) {
      if (value[name] === undefined) forbid((label ? label + '.' : '') + name + ' is missing');
    });
  }
  function role(name) {
    return userCtx.roles.indexOf(name) >= 0;
  }
  /* Deeper than any of our documents: what would come next is a parser's stack. */
  function deep(value, left) {
    if (value === null || typeof value !== 'object') return false;
    return left === 0 || Object.keys(value).some(function (key) { return deep(value[key], left - 1); });
  }
  var checkers = $checkers;

  var admin = role('_admin') || role('admin'), worker = role('worker');
  if (userCtx.name === null && !admin) throw ({ unauthorized: 'sign in to write' });
  var id = $id.exec(newDoc._id);
  if (!id) forbid('the id must be <ULID>:<kind>[:<qualifier>]');
  var kind = id[2], checker = checkers[kind + ' '];
  if (newDoc._deleted) {
    if (admin || worker) return;
    if (!checker) forbid('only workers delete documents of kind ' + kind);
    if (!oldDoc || oldDoc._deleted || !role('u:' + oldDoc[checker.owner])) forbid('only who wrote a document may delete it');
    Object.keys(newDoc).forEach(function (key) {
      if (key.charAt(0) !== '_' || key === '_attachments') forbid('a deleted document keeps nothing');
    });
    return;
  }
  if (newDoc.kind !== kind) forbid('kind must be "' + kind + '", as in the id');
  if (!checker) {
    if (!admin && !worker) forbid('only workers write documents of kind ' + kind);
    return;
  }

  var old = oldDoc && !oldDoc._deleted ? oldDoc : null, owner = newDoc[checker.owner];
  if (deep(newDoc, 16)) forbid('nested too deep');
  var history = newDoc._revisions ? newDoc._revisions.ids.length : 0;
  if (JSON.stringify(newDoc).length > 65536 + 40 * history) forbid('bigger than 64 KiB');
  checker.check(newDoc);
  if (kind !== 'image' && newDoc._attachments) forbid('only images have attachments');
  if ((kind === 'validation' || kind === 'flag') && id[3] !== owner) forbid('the id must end with the user');
  if (kind === 'validation') {
    if ((newDoc.vote === 'taxon') !== (newDoc.taxon !== undefined)) forbid('taxon goes with the vote "taxon"');
  }
  if (kind === 'observation' && newDoc.location) {
    [newDoc.location.decimalLatitude, newDoc.location.decimalLongitude].forEach(function (degrees) {
      if (Math.abs(degrees * 5 - Math.round(degrees * 5)) > 1e-6) {
        forbid('location must be rounded to 0.2 degrees; the exact one goes sealed, in "sealed"');
      }
    });
  }
  if (old && old[checker.owner] !== owner) forbid(checker.owner + ' may not change');
  if (admin) return;
  if (worker) {
    if (!old) forbid('workers make no document of kind ' + kind);
    return;
  }
  if (!role('u:' + owner)) forbid(checker.owner + ' must be yourself');
  if (kind === 'image' && newDoc.stripped) forbid('only workers strip a picture that is in the store');
  if (old && checker.immutable) forbid('an image never changes');
};
