/* Every document that a user wrote or is named in: [uid, "wrote" or "named"]. What erasure goes by. */
exports.map = function (doc) {
  var kind = doc._id.split(':')[1];
  var writer = kind === 'observation' || kind === 'image' ? doc.observer : kind === 'validation' ? doc.user : undefined;
  if (writer) emit([writer, 'wrote'], null);
  if (kind === 'consensus') {
    (doc.votes || []).forEach(function (vote) {
      emit([vote.user, 'named'], null);
    });
  }
};
exports.reduce = '_count';
