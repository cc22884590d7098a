/* The names of a taxon: key the accepted taxon, value [name, language ("" for scientific ones, synonyms too)]. What an app
 * loads for a flora, to search without a network. */
exports.map = function (doc) {
  if (doc.kind !== 'taxon') return;
  var accepted = doc.acceptedNameUsageID || doc._id;
  emit(accepted, [doc.scientificName, '']);
  Object.keys(doc.synonyms || {}).forEach(function (id) {
    emit(accepted, [doc.synonyms[id][0], '']);
  });
  Object.keys(doc.vernacularNames || {}).forEach(function (language) {
    doc.vernacularNames[language].forEach(function (name) {
      emit(accepted, [name, language]);
    });
  });
};
