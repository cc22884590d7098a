/* The floras that a species is in: [species, flora]. */
exports.map = function (doc) {
  if (doc.kind !== 'flora') return;
  doc.taxa.forEach(function (taxon) {
    emit([taxon, doc._id], null);
  });
};
