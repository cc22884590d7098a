/* Observations about a place: by the cells of one degree in which they are published. */
import { view } from './observations.js';

const last = '\ufff0', AROUND = [-1, 0, 1];

/* ULIDs, newest first, at most `limit`, of those of `grades` in the nine cells about "latitude,longitude". */
export async function rowsOfCells(place, grades, limit, signal) {
  const [latitude, longitude] = place.split(',').map((part) => Math.floor(Number(part)));
  const cells = AROUND.flatMap((north) => AROUND.map((east) => [latitude + north, ((longitude + east + 180 + 360) % 360) - 180]));
  const answers = await Promise.all(cells.flatMap((cell) => grades.map((grade) => view('main', 'by_place',
    { startkey: [...cell, grade, last], endkey: [...cell, grade], descending: true, reduce: false, limit }, { signal }))));
  return answers.flatMap(({ rows }) => rows.map((row) => row.key[3])).sort((a, b) => (a < b ? 1 : -1)).slice(0, limit);
}
