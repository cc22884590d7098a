/* Observations by what the machine says: [taxon, score]. */
exports.map = function (doc) {
  var id = doc._id.split(':');
  if (id[1] === 'identification' && doc.best) emit([doc.best.taxon, doc.best.score], id[0]);
};
exports.reduce = '_count';
