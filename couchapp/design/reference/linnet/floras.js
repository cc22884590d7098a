/* The floras by title, with so many species. */
exports.map = function (doc) {
  if (doc.kind === 'flora') emit(doc.title, doc.taxa.length);
};
