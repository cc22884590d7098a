/* What a reviewer is asked to look at. A queue is a list of observations in order; each is read whole ahead of its turn. */
import { alike, duplicates } from './alike.js';
import { ask, get } from './http.js';
import { keptKeys } from './keep.js';
import { hereOf, mine, read, wrote } from './mine.js';
import { rowsOfCells } from './near.js';
import { hasPartitions, pictureOf, readWhole, view } from './observations.js';
import { QUEUE_ROWS as ROWS, reviewPath } from './paths.js';
import { me } from './session.js';
import { database } from './site.js';
import { withAncestors } from './taxa.js';

const AHEAD = 4;
const READY_MOST = 12; // decoded pictures are large
const SHOWN = 5; // suggestions
const FIRST_WEIGHT = Math.log(2.1); // of who has shown nothing yet (plugins/consensus/solve.h)
const ACCURACY_WANTED = 0.7; // the stage's own default

/* The weight of my vote. */
async function myWeight() {
  try {
    return (await get(`${database('reference')}/skill:${me.value.uid}`)).weight;
  } catch {
    return FIRST_WEIGHT;
  }
}

const last = '\ufff0';
const ranges = {
  taxon: (value) => ['by_taxon', { startkey: [value, 'needs_review'], endkey: [value, 'needs_review', last] }, (row) => row.key[2]],
  flora: (value) => ['by_flora', { startkey: [value], endkey: [value, last] }, (row) => row.key[1]],
  observer: (value) => ['by_observer', { startkey: [value], endkey: [value, last] }, (row) => row.key[1]],
};

/* Those that lack no more than the weight of my vote; the nearest to an answer first. */
async function rowsToSettle() {
  const { rows } = await view('main', 'settle', { endkey: [await myWeight(), last], limit: ROWS });
  return rows.map((row) => ({ obs: row.key[1] }));
}

/* Rows {obs, value?}, newest first. */
async function rowsOf({ by, value }) {
  if (by === 'settle') return rowsToSettle();
  if (by === 'place') return value ? (await rowsOfCells(value, ['needs_review'], ROWS)).map((obs) => ({ obs })) : [];
  if (by === 'duplicates') return (await duplicates()).map((obs) => ({ obs }));
  if (ranges[by]) {
    const [name, range, obs] = ranges[by](value);
    const { rows } = await view('main', name, { startkey: range.endkey, endkey: range.startkey, descending: true, reduce: false, limit: ROWS });
    return rows.map((row) => ({ obs: obs(row) }));
  }
  const { rows } = await get(reviewPath());
  return rows.map((row) => ({ obs: row.key, ...row.value }));
}

const disputed = ({ votes, accuracy }) => votes > 1 && accuracy < ACCURACY_WANTED;

/* Which of these I have voted on, here or in the store. Asked by id: who votes for years must not load all of that at each visit. */
async function votedOn(list) {
  const { uid } = me.value, ids = list.map((obs) => `${obs}:validation:${uid}`);
  const inStore = ask('POST', `${database('main')}/_all_docs`, { keys: ids })
    .then(({ rows }) => rows.filter((row) => row.value && !row.value.deleted).map((row) => row.id), () => []); // offline: what is here is all that is known
  const found = await Promise.all([hereOf(ids), inStore]);
  return new Set(found.flat().map((id) => id.slice(0, 26)));
}

/* Without a network: what this device has kept. */
async function keptRows() {
  const rows = [];
  for (const obs of (await keptKeys('observations')).sort().reverse()) {
    const whole = await readWhole(obs);
    if (whole?.consensus?.grade === 'needs_review') rows.push({ obs });
  }
  return rows;
}

/* The first of a list, as soon as its own documents show that I have not voted on it: nothing of the rest need be known for its card. */
async function tellFirst(list, told) {
  const found = await whole(list[0]);
  if (found && !found.validations.some(({ user }) => user === me.value.uid)) told(list);
}

/* ULIDs of the queue {by, value}: of by "review", "settle", "disputed", "taxon", "flora", "place", "observer", "duplicates"; without what
 * I voted on (of duplicates that is no matter). `told(list)` may be called before, with a list that begins as the answer will. */
export async function loadQueue(wish, told) {
  let rows;
  if (wrote()) mine().catch(() => { /* said where it is needed */ }); // PouchDB comes while the store is asked
  hasPartitions();
  try {
    rows = await rowsOf(wish);
    if (wish.by === 'disputed') rows = rows.filter(disputed);
  } catch (error) {
    if (!error.offline) throw error;
    rows = await keptRows();
  }
  const list = [...new Set(rows.map(({ obs }) => obs))];
  if (wish.by === 'duplicates') return list;
  if (list.length) tellFirst(list, told).catch(() => {}); // said where its card is drawn
  const voted = await votedOn(list);
  return list.filter((obs) => !voted.has(obs));
}

const ready = new Map(); // obs -> {promise, whole, pictures}: what was read ahead, oldest first

/* While the reviewer still looks at the one before: the first picture is decoded and held so, the others come, what looks alike is
 * found, and the names of what is suggested are known, with those above them: what "an ancestor" means is asked at the vote. */
function warm(one) {
  const { whole } = one, views = whole?.observation?.views || [];
  one.pictures = views.map(({ image }) => pictureOf(whole, image).src).filter(Boolean).map((src) => Object.assign(new Image(), { src }));
  one.shown = one.pictures[0]?.decode().catch(() => { /* the page says what is wrong with it */ });
  if (whole?.identification) alike(whole.obs);
  const suggested = whole?.identification?.species.slice(0, SHOWN).map(({ taxon }) => taxon) || [];
  withAncestors([...suggested, whole?.consensus?.taxon].filter(Boolean)).catch(() => { /* offline: ids are shown */ });
}

export function whole(obs) {
  if (!ready.has(obs)) {
    const one = { whole: null, pictures: [] };
    one.promise = readWhole(obs).then((found) => { one.whole = found; warm(one); return found; });
    one.promise.catch(() => ready.delete(obs));
    ready.set(obs, one);
    if (ready.size > READY_MOST) ready.delete(ready.keys().next().value);
  }
  return ready.get(obs).promise;
}

/* What was read ahead and is here: a card of it is drawn at once. */
export const here = (obs) => ready.get(obs)?.whole || undefined;

export const forget = (obs) => ready.delete(obs);

/* Read those that come after the one that is looked at, once that has its picture: on a slow network they would take from it. */
export async function prefetch(queue, at) {
  const next = queue.slice(at + 1, at + 1 + AHEAD);
  if (next.every((obs) => ready.has(obs))) return;
  await whole(queue[at]).then(() => ready.get(queue[at])?.shown).catch(() => {});
  for (const obs of next) whole(obs).catch(() => {});
}

export const myVote = (obs) => read(`${obs}:validation:${me.value.uid}`);
