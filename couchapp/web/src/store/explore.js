/* Reading many observations: cards for lists and points for the map, by taxon, observer, place, flora, period, grade, or the newest. */
import { partsOf } from './ids.js';
import { rowsOfCells } from './near.js';
import { view } from './observations.js';
import { ask } from './http.js';
import { database } from './site.js';

const last = '\ufff0';
const AT_ONCE = 200, SIEVED_MOST = 3000, NEAR_MOST = 500; // rows
const GRADES = ['research', 'needs_review', 'casual'];

/* Documents by id in one request, missing ones left out. */
export async function documents(ids, signal) {
  if (ids.length === 0) return new Map();
  const { rows } = await ask('POST', `${database('main')}/_all_docs?include_docs=true`, { keys: ids }, { signal });
  return new Map(rows.filter((row) => row.doc).map((row) => [row.id, row.doc]));
}

const of = (...begin) => ({ startkey: begin, endkey: [...begin, last] });
const day = (text) => text.split('-').map(Number);

const idOf = (row) => row.id.slice(0, 26);

/* Where the rows of a filter stand: [view, its range, the observation of a row]. Of a taxon they stand by grade and then by time. */
const VIEWS = {
  taxon: ({ taxon, grade }) => ['by_taxon', grade ? of(taxon, grade) : of(taxon), (row) => row.key[2]],
  observer: ({ observer }) => ['by_observer', of(observer), idOf],
  flora: ({ flora }) => ['by_flora', of(flora), idOf],
  period: ({ from, to }) => ['by_day', { startkey: from ? day(from) : [0], endkey: to ? day(to) : [9999] }, idOf],
  grade: ({ grade }) => ['by_grade', of(grade), idOf],
  newest: () => ['by_day', {}, idOf],
};
const TELLING = ['taxon', 'observer', 'near', 'flora', 'period', 'grade']; // the most telling first

const isSet = (filters, name) => Boolean(name === 'period' ? filters.from || filters.to : filters[name]);

/* rows(skip, limit): ULIDs of a filter, newest first. */
function rowsBy(by, filters, signal) {
  if (by === 'near') {
    let all;
    return async (skip, limit) => (await (all ??= rowsOfCells(filters.near, filters.grade ? [filters.grade] : GRADES, NEAR_MOST, signal))).slice(skip, skip + limit);
  }
  const [name, { startkey, endkey }, obs] = VIEWS[by](filters);
  return async (skip, limit) => (await view('main', name, { startkey: endkey, endkey: startkey, descending: true, reduce: false, skip, limit }, { signal })).rows.map(obs);
}

/* Is what is published of its place within the cells about "latitude,longitude"? */
function isNear(near, at) {
  if (at?.decimalLatitude === undefined) return false;
  const [north, east] = near.split(',').map((part) => Math.floor(Number(part)));
  const turn = (Math.floor(at.decimalLongitude) - east + 540) % 360 - 180;
  return Math.abs(Math.floor(at.decimalLatitude) - north) <= 1 && Math.abs(turn) <= 1;
}

/* What an observation and its consensus must be for the filters that the rows were not chosen by. */
const TESTS = {
  taxon: ({ taxon }, observation, consensus) => consensus?.taxon === taxon,
  observer: ({ observer }, observation) => observation.observer === observer,
  flora: ({ flora }, observation) => observation.flora === flora,
  grade: ({ grade }, observation, consensus) => consensus?.grade === grade,
  near: ({ near }, observation, consensus) => isNear(near, consensus?.location),
  period: ({ from, to }, { observed_at: at }) => Boolean(at) && (!from || at.slice(0, 10) >= from) && (!to || at.slice(0, 10) <= to),
};

/* ULIDs, newest first, for filters {taxon, grade, observer, flora, near: "latitude,longitude", from, to: days as "2026-05-31", skip, limit}. The most
 * telling filter asks the store, the others sieve what it answers: of no more than SIEVED_MOST rows, so that a rare pair does not read everything. */
export async function find(filters, signal) {
  const { skip = 0, limit = 24 } = filters, by = TELLING.find((name) => isSet(filters, name)) || 'newest', rows = rowsBy(by, filters, signal);
  const others = Object.keys(TESTS).filter((name) => isSet(filters, name) && name !== by && !(name === 'grade' && ['taxon', 'near'].includes(by)));
  if (others.length === 0) return rows(skip, limit);
  const found = [];
  for (let at = 0; at < SIEVED_MOST && found.length < skip + limit; at += AT_ONCE) {
    const some = await rows(at, AT_ONCE);
    const heads = await documents(some.flatMap((obs) => [`${obs}:observation`, `${obs}:consensus`]), signal);
    found.push(...some.filter((obs) => {
      const observation = heads.get(`${obs}:observation`);
      return observation && others.every((name) => TESTS[name](filters, observation, heads.get(`${obs}:consensus`)));
    }));
    if (some.length < AT_ONCE) break;
  }
  return found.slice(skip, skip + limit);
}

/* Cards: {obs, observation, consensus, identification, normalized} of ULIDs, in two requests however many. `all`: with all their pictures, not
 * the first alone. */
export async function cards(list, signal, { all = false } = {}) {
  const heads = await documents(list.flatMap((obs) => ['observation', 'consensus', 'identification'].map((kind) => `${obs}:${kind}`)), signal);
  const shown = (obs) => (heads.get(`${obs}:observation`)?.views || []).slice(0, all ? undefined : 1).map(({ image }) => `${obs}:normalized:${image}`);
  const pictures = await documents(list.flatMap(shown), signal);
  return list.filter((obs) => heads.has(`${obs}:observation`)).map((obs) => {
    const normalized = Object.fromEntries(shown(obs).filter((id) => pictures.has(id)).map((id) => [partsOf(id).rest, pictures.get(id)]));
    return {
      obs, observation: heads.get(`${obs}:observation`), consensus: heads.get(`${obs}:consensus`) || null, identification: heads.get(`${obs}:identification`) || null,
      normalized, images: {}, validations: [],
    };
  });
}

/* How many rows a view has for a key's beginning. */
export async function count(name, key, signal) {
  const { rows } = await view('main', name, { startkey: key, endkey: [...key, last] }, { signal });
  return rows[0]?.value || 0;
}
