/* What asks for a new model: [state, raised_at], the rule and why. */
exports.map = function (doc) {
  if (doc.kind === 'retraining') emit([doc.state, doc.raised_at], { rule: doc.rule, why: doc.why });
};
exports.reduce = '_count';
