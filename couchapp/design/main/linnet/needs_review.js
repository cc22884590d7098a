/* What reviewers are asked to look at, newest last (a ULID starts with its time). */
exports.map = function (doc) {
  var id = doc._id.split(':');
  if (id[1] !== 'consensus' || doc.grade !== 'needs_review') return;
  emit(id[0], { taxon: doc.taxon, confidence: doc.confidence, accuracy: doc.accuracy, votes: doc.votes.length });
};
exports.reduce = '_count';
