/* The models: [name, created_at], version and measured accuracy. */
exports.map = function (doc) {
  if (doc.kind === 'model') emit([doc.name, doc.created_at], { version: doc.version, labels: doc.labels.length, accuracy: doc.accuracy });
};
