/* Who does which share, and up to where: [group, share]. */
exports.map = function (doc) {
  var id = doc._id.split(':');
  if (doc.kind === 'share') emit([id[1], id[2]], { owner: doc.owner, generation: doc.generation, checkpoint: doc.checkpoint });
};
exports.reduce = '_count';
