/* Users by role and standing: [role, blocked, uid]. */
exports.map = function (doc) {
  if (doc.kind === 'reviewer') emit([doc.role, doc.blocked, doc._id.slice('reviewer:'.length)], null);
};
exports.reduce = '_count';
