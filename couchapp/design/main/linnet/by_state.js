/* Observations by what the machine has done for them: [state, observation]. "identified" has all its views, "partial"
 * waits for some; what is in neither and has no row in by_grade is waiting. */
exports.map = function (doc) {
  var id = doc._id.split(':');
  if (id[1] !== 'identification') return;
  emit([doc.views.used < doc.views.of ? 'partial' : 'identified', id[0]], doc.best);
};
exports.reduce = '_count';
