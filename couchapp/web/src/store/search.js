/* Finding a taxon as one types: over a flora on this device (MiniSearch: accepted names, synonyms, common names, typing errors
 * forgiven), over everything by the server. */
import { language } from '../i18n/index.js';
import { ask, get, query } from './http.js';
import { keep, kept } from './keep.js';
import { database, site } from './site.js';
import { remember, taxa, withAncestors } from './taxa.js';

export const FOUND_MOST = 8;
const KEYS_MOST = 1000;
const packs = new Map(); // flora -> promise of {search}

async function namesOf(ids) {
  const names = [];
  for (let i = 0; i < ids.length; i += KEYS_MOST) {
    const { rows } = await ask('POST', `${database('reference')}/_design/linnet/_view/names_of`, { keys: ids.slice(i, i + KEYS_MOST) });
    names.push(...rows.map(({ key, value: [name, language] }) => ({ taxon: key, name, language })));
  }
  return names;
}

/* All that searching a flora needs: its taxa with those above them, and their names. Fetched once, then kept. */
async function fetchPack(flora) {
  const { taxa: ids } = await get(`${database('reference')}/${encodeURIComponent(flora)}`);
  const all = [...(await withAncestors(ids)).values()];
  return { taxa: all, names: await namesOf(all.map((taxon) => taxon._id)) };
}

async function loadPack(flora) {
  const here = await kept('packs', flora);
  if (here) {
    fetchPack(flora).then((fresh) => keep('packs', [[flora, fresh]]), () => {}); // for the next time
    return here;
  }
  const pack = await fetchPack(flora);
  keep('packs', [[flora, pack]]);
  return pack;
}

async function build(flora) {
  const [{ default: MiniSearch }, pack] = await Promise.all([import('minisearch'), loadPack(flora)]);
  remember(pack.taxa);
  const index = new MiniSearch({
    fields: ['name'], storeFields: ['taxon', 'name', 'language'],
    processTerm: (term) => term.toLowerCase().normalize('NFD').replace(/\p{M}/gu, ''),
    searchOptions: { prefix: true, fuzzy: (term) => (term.length > 4 ? 0.25 : false), maxFuzzy: 2, combineWith: 'AND', weights: { prefix: 0.9, fuzzy: 0.35 } },
  });
  index.addAll(pack.names.map((entry, id) => ({ id, ...entry })));
  return index;
}

/* The index of a flora, built once. */
export function flora(id) {
  if (!packs.has(id)) {
    const promise = build(id);
    promise.catch(() => packs.delete(id));
    packs.set(id, promise);
  }
  return packs.get(id);
}

/* Best first, a taxon once: [{taxon, name, language}]. */
export async function searchFlora(id, text) {
  const found = new Map();
  for (const { taxon, name, language } of (await flora(id)).search(text)) {
    if (!found.has(taxon)) found.set(taxon, { taxon, name, language });
    if (found.size === FOUND_MOST) break;
  }
  return [...found.values()];
}

/* By the server, over all names: `linnet serve` where it is (typing errors forgiven); else the store's own list of names, from their
 * beginnings. */
export async function searchAll(text, signal) {
  try {
    const list = await get(`${site.api}/taxa?query=${encodeURIComponent(text)}&pageSize=${FOUND_MOST}&lang=${language.value}`, { signal });
    if (Array.isArray(list)) return list.map(({ id, matched }) => ({ taxon: id, name: matched.name, language: matched.language }));
  } catch (error) {
    if (signal?.aborted || error.offline) throw error;
  }
  const start = text.toLowerCase();
  const { rows } = await get(`${database('reference')}/_design/linnet/_view/names${query({ startkey: [start], endkey: [`${start}\ufff0`], limit: FOUND_MOST })}`, { signal });
  await taxa(rows.map((row) => row.value));
  return rows.map((row) => ({ taxon: row.value, name: row.key[0], language: row.key[1] }));
}
