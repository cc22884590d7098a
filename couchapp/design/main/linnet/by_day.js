/* Observations by the day when the plant was seen: [year, month, day]. */
exports.map = function (doc) {
  var id = doc._id.split(':'), day = /^(\d+)-(\d+)-(\d+)T/.exec(doc.observed_at || '');
  if (id[1] === 'observation' && day) emit([Number(day[1]), Number(day[2]), Number(day[3])], null);
};
exports.reduce = '_count';
