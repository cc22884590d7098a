/* Observations by the cell of one degree in which they are published: [latitude, longitude (both rounded down), grade, observation]. */
exports.map = function (doc) {
  var id = doc._id.split(':'), at = doc.location;
  if (id[1] !== 'consensus' || !at || typeof at.decimalLatitude !== 'number' || typeof at.decimalLongitude !== 'number') return;
  emit([Math.floor(at.decimalLatitude), Math.floor(at.decimalLongitude), doc.grade, id[0]], doc.taxon);
};
exports.reduce = '_count';
