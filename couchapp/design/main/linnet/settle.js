/* What a vote for the leading taxon would make valid: [the weight that it must have, observation], its taxon. */
exports.map = function (doc) {
  var id = doc._id.split(':');
  if (id[1] === 'consensus' && doc.grade === 'needs_review' && doc.confidence > 0 && doc.missing > 0) emit([doc.missing, id[0]], doc.taxon);
};
