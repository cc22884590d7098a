/* Observations by grade: [grade, observation], its taxon. */
exports.map = function (doc) {
  var id = doc._id.split(':');
  if (id[1] === 'consensus') emit([doc.grade, id[0]], doc.taxon);
};
exports.reduce = '_count';
