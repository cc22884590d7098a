/* Observations by the flora that they name: [flora, observation]. */
exports.map = function (doc) {
  var id = doc._id.split(':');
  if (id[1] === 'observation' && doc.flora) emit([doc.flora, id[0]], null);
};
exports.reduce = '_count';
