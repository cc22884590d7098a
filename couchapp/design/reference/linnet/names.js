/* Taxa by name, lower case: [name, language ("" for the scientific one)], the accepted taxon. For search as one types. */
exports.map = function (doc) {
  if (doc.kind !== 'taxon') return;
  var accepted = doc.acceptedNameUsageID || doc._id;
  emit([doc.scientificName.toLowerCase(), ''], accepted);
  Object.keys(doc.synonyms || {}).forEach(function (id) {
    emit([doc.synonyms[id][0].toLowerCase(), ''], accepted);
  });
  Object.keys(doc.vernacularNames || {}).forEach(function (language) {
    doc.vernacularNames[language].forEach(function (name) {
      emit([name.toLowerCase(), language], accepted);
    });
  });
};
