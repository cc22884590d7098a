/* The accepted taxa below a taxon: [parent, rank, name]. */
exports.map = function (doc) {
  if (doc.kind === 'taxon' && !doc.acceptedNameUsageID) emit([doc.parentNameUsageID || null, doc.taxonRank, doc.scientificName], null);
};
exports.reduce = '_count';
