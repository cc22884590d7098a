/* What waits to be tried again: [stage, at], the document. */
exports.map = function (doc) {
  if (doc.kind === 'retry') emit([doc.stage, doc.at], doc.id);
};
exports.reduce = '_count';
