/* What a reviewer is asked to look at. A queue is a list of observations in order; each is read whole ahead of its turn. */
import { ask, get } from './http.js';
import { keptKeys } from './keep.js';
import { hereOf, read } from './mine.js';
import { pictureOf, readWhole, view } from './observations.js';
import { me } from './session.js';
import { database } from './site.js';

const ROWS = 100;
const AHEAD = 4;
const FIRST_WEIGHT = Math.log(2.1); // of who has shown nothing yet (plugins/consensus/solve.h)
const CONFIDENCE_WANTED = 2, ACCURACY_WANTED = 0.7; // the stage's own defaults

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

/* Rows {obs, value?}, newest first. */
async function rowsOf({ by, value }) {
  if (ranges[by]) {
    const [name, range, obs] = ranges[by](value);
    const { rows } = await view('main', name, { startkey: range.endkey, endkey: range.startkey, descending: true, reduce: false, limit: ROWS });
    return rows.map((row) => ({ obs: obs(row) }));
  }
  const { rows } = await view('main', 'needs_review', { descending: true, reduce: false, limit: ROWS });
  return rows.map((row) => ({ obs: row.key, ...row.value }));
}

/* Would a vote of this weight for the leading taxon make it valid? */
const settles = (weight) => ({ confidence, accuracy }) =>
  confidence > 0 && confidence < CONFIDENCE_WANTED && confidence + weight >= CONFIDENCE_WANTED && accuracy >= ACCURACY_WANTED;
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

/* ULIDs of the queue {by, value}: of by "review", "settle", "disputed", "taxon", "flora", "observer"; without what I voted on. */
export async function loadQueue(wish) {
  let rows;
  try {
    rows = await rowsOf(wish);
    if (wish.by === 'settle') rows = rows.filter(settles(await myWeight()));
    if (wish.by === 'disputed') rows = rows.filter(disputed);
  } catch (error) {
    if (!error.offline) throw error;
    rows = await keptRows();
  }
  const list = [...new Set(rows.map(({ obs }) => obs))], voted = await votedOn(list);
  return list.filter((obs) => !voted.has(obs));
}

const ready = new Map(); // obs -> promise of the whole

/* Pictures are asked for while the reviewer still looks at the one before. */
function warm(whole) {
  for (const { image } of whole?.observation?.views || []) {
    const { src } = pictureOf(whole, image);
    if (src) new Image().src = src;
  }
  return whole;
}

export function whole(obs) {
  if (!ready.has(obs)) {
    const promise = readWhole(obs).then(warm);
    promise.catch(() => ready.delete(obs));
    ready.set(obs, promise);
    if (ready.size > 30) ready.delete(ready.keys().next().value);
  }
  return ready.get(obs);
}

export const forget = (obs) => ready.delete(obs);

export function prefetch(queue, at) {
  for (const obs of queue.slice(at + 1, at + 1 + AHEAD)) whole(obs).catch(() => {});
}

export const myVote = (obs) => read(`${obs}:validation:${me.value.uid}`);
