/* What people ask moderators to look at: [created_at, observation], the reason. */
exports.map = function (doc) {
  var id = doc._id.split(':');
  if (id[1] === 'flag') emit([doc.created_at, id[0]], { reason: doc.reason, image: doc.image || null, note: doc.note || '' });
};
exports.reduce = '_count';
