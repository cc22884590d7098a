/* Observations by who made them: [uid, observation]. */
exports.map = function (doc) {
  var id = doc._id.split(':');
  if (id[1] === 'observation') emit([doc.observer, id[0]], doc.views.length);
};
exports.reduce = '_count';
