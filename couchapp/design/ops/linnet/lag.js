/* How far behind the live members of each group say that they are, in milliseconds: [group]. */
exports.map = function (doc) {
  if (doc.kind !== 'worker' || doc.stopped) return;
  Object.keys(doc.groups || {}).forEach(function (group) {
    if (typeof doc.groups[group].lag_ms === 'number') emit([group], doc.groups[group].lag_ms);
  });
};
exports.reduce = '_stats';
