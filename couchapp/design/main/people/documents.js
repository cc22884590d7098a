/* Every document that a user wrote or is named in: [uid, "wrote" or "named"]. What erasure goes by. */
exports.map = function (doc) {
  var kind = doc._id.split(':')[1], named = {};
  var writer = kind === 'observation' || kind === 'image' ? doc.observer
    : kind === 'validation' || kind === 'comment' || kind === 'flag' ? doc.user : undefined;
  if (writer) emit([writer, 'wrote'], null);
  (doc.votes || []).forEach(function (vote) {
    named[vote.user] = true;
  });
  (doc.inputs || []).forEach(function (input) {
    var id = input.id.split(':');
    if (id[1] === 'validation') named[id[2]] = true;
  });
  Object.keys(named).forEach(function (uid) {
    emit([uid, 'named'], null);
  });
};
exports.reduce = '_count';
