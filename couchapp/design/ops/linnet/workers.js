/* Who takes part in what: [group, worker], when it was last heard of. */
exports.map = function (doc) {
  if (doc.kind !== 'worker') return;
  Object.keys(doc.groups || {}).forEach(function (group) {
    emit([group, doc._id.slice('worker:'.length)], { at: doc.at, stopped: doc.stopped === true, standby: doc.groups[group].standby === true });
  });
};
exports.reduce = '_count';
