/* Observations by community taxon: [taxon, grade, observation]. */
exports.map = function (doc) {
  var id = doc._id.split(':');
  if (id[1] === 'consensus' && doc.taxon) emit([doc.taxon, doc.grade, id[0]], doc.valid);
};
exports.reduce = '_count';
