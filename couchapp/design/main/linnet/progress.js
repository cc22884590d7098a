/* How far each observation is: with group=true one row an observation, its numbers [observations, views that it should
 * have, images, normalized, predictions, identifications, consensus, validations]. */
exports.map = function (doc) {
  var id = doc._id.split(':');
  var places = { observation: 0, image: 2, normalized: 3, prediction: 4, identification: 5, consensus: 6, validation: 7 };
  var place = places[id[1]];
  if (place === undefined) return;
  var numbers = [0, 0, 0, 0, 0, 0, 0, 0];
  numbers[place] = 1;
  if (place === 0) numbers[1] = doc.views.length;
  emit(id[0], numbers);
};
exports.reduce = '_sum';
