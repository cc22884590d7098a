/* What failed for good: [stage, class, at], the document and why. */
exports.map = function (doc) {
  if (doc.kind === 'deadletter') emit([doc.stage, doc['class'], doc.at], { id: doc.id, reason: doc.reason });
};
exports.reduce = '_count';
