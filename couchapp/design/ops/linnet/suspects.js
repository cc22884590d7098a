/* What may have killed a process: [kills, id]. */
exports.map = function (doc) {
  if (doc.kind === 'suspect') emit([doc.kills, doc._id], doc.at);
};
exports.reduce = '_count';
