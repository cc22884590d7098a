/* Predictions by model: [model], for what a new model would cost and what an old one still holds. */
exports.map = function (doc) {
  if (doc._id.split(':')[1] === 'prediction') emit(doc.model, null);
};
exports.reduce = '_count';
