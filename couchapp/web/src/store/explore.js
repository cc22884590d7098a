/* Reading many observations: cards for lists and points for the map, by taxon, grade, observer, or the newest. */
import { view } from './observations.js';
import { ask } from './http.js';
import { database } from './site.js';

const last = '\ufff0';

/* Documents by id in one request, missing ones left out. */
export async function documents(ids, signal) {
  if (ids.length === 0) return new Map();
  const { rows } = await ask('POST', `${database('main')}/_all_docs?include_docs=true`, { keys: ids }, { signal });
  return new Map(rows.filter((row) => row.doc).map((row) => [row.id, row.doc]));
}

const queries = {
  taxon: ({ taxon, grade }) => ['by_taxon', grade ? { startkey: [taxon, grade], endkey: [taxon, grade, last] } : { startkey: [taxon], endkey: [taxon, last] }, (row) => row.key[2]],
  grade: ({ grade }) => ['by_grade', { startkey: [grade], endkey: [grade, last] }, (row) => row.key[1]],
  observer: ({ observer }) => ['by_observer', { startkey: [observer], endkey: [observer, last] }, (row) => row.key[1]],
  flora: ({ flora }) => ['by_flora', { startkey: [flora], endkey: [flora, last] }, (row) => row.key[1]],
};

/* ULIDs for filters {taxon, grade, observer, flora, skip, limit}; the most telling filter asks the store, the others sieve. */
export async function find(filters, signal) {
  const by = ['taxon', 'observer', 'flora', 'grade'].find((name) => filters[name]);
  const { skip = 0, limit = 24 } = filters;
  if (!by) {
    const { rows } = await view('main', 'by_day', { descending: true, reduce: false, skip, limit }, { signal });
    return rows.map((row) => row.id.slice(0, 26));
  }
  const [name, range, obs] = queries[by](filters);
  const { rows } = await view('main', name, { startkey: range.endkey, endkey: range.startkey, descending: true, reduce: false, skip, limit }, { signal });
  return rows.map(obs);
}

/* Cards: {obs, observation, consensus, identification, normalized} of ULIDs, in three requests however many. */
export async function cards(list, signal) {
  const heads = await documents(list.flatMap((obs) => ['observation', 'consensus', 'identification'].map((kind) => `${obs}:${kind}`)), signal);
  const first = list.map((obs) => heads.get(`${obs}:observation`)?.views[0]?.image && `${obs}:normalized:${heads.get(`${obs}:observation`).views[0].image}`).filter(Boolean);
  const pictures = await documents(first, signal);
  return list.filter((obs) => heads.has(`${obs}:observation`)).map((obs) => {
    const observation = heads.get(`${obs}:observation`), { image } = observation.views[0], normalized = pictures.get(`${obs}:normalized:${image}`);
    return {
      obs, observation, consensus: heads.get(`${obs}:consensus`) || null, identification: heads.get(`${obs}:identification`) || null,
      normalized: normalized ? { [image]: normalized } : {}, images: {}, validations: [],
    };
  });
}

/* How many rows a view has for a key's beginning. */
export async function count(name, key, signal) {
  const { rows } = await view('main', name, { startkey: key, endkey: [...key, last] }, { signal });
  return rows[0]?.value || 0;
}
