/* Taxa: names by id, asked for together, remembered, kept for offline. */
import { useEffect, useState } from 'preact/hooks';
import { useCell } from '../state.js';
import { language } from '../i18n/index.js';
import { ask } from './http.js';
import { keep, kept } from './keep.js';
import { database } from './site.js';

const KEYS_MOST = 1000;
const known = new Map(); // id -> taxon document, or null: there is none
let asked = null; // { ids, promise } being gathered

async function load(ids) {
  const found = [];
  for (let i = 0; i < ids.length; i += KEYS_MOST) {
    const { rows } = await ask('POST', `${database('reference')}/_all_docs?include_docs=true`, { keys: ids.slice(i, i + KEYS_MOST) });
    found.push(...rows.map((row, j) => [ids[i + j], row.doc || null]));
  }
  return found;
}

async function loadOrRemember(ids) {
  try {
    const found = await load(ids);
    keep('taxa', found.filter(([, taxon]) => taxon));
    return found;
  } catch {
    const found = await Promise.all(ids.map(async (id) => [id, await kept('taxa', id)]));
    return found.filter(([, taxon]) => taxon);
  }
}

/* All ids that are asked for in one turn make one request. */
function gather(ids) {
  if (!asked) {
    const batch = { ids: new Set() };
    batch.promise = new Promise((resolve) => setTimeout(resolve, 0)).then(async () => {
      asked = null;
      for (const [id, taxon] of await loadOrRemember([...batch.ids])) known.set(id, taxon);
    });
    asked = batch;
  }
  ids.forEach((id) => asked.ids.add(id));
  return asked.promise;
}

/* Map of id -> taxon document (those that are known). */
export async function taxa(ids) {
  const missing = [...new Set(ids)].filter((id) => id && !known.has(id));
  if (missing.length) await gather(missing);
  return new Map(ids.filter((id) => known.get(id)).map((id) => [id, known.get(id)]));
}

export function remember(documents) {
  for (const document of documents) known.set(document._id, document);
}

/* Chains upward: the taxa above `ids`, themselves included. */
export async function withAncestors(ids) {
  const all = new Map();
  for (let level = [...new Set(ids)]; level.length;) {
    const found = await taxa(level);
    for (const [id, taxon] of found) all.set(id, taxon);
    level = [...new Set([...found.values()].map((taxon) => taxon.parentNameUsageID).filter((id) => id && !all.has(id)))];
  }
  return all;
}

/* Is `above` an ancestor of `id`? Of what is known only. */
export function isAbove(above, id) {
  for (let at = known.get(id)?.parentNameUsageID, steps = 0; at && steps < 60; at = known.get(at)?.parentNameUsageID, steps++) {
    if (at === above) return true;
  }
  return false;
}

export const commonName = (taxon) => taxon?.vernacularNames?.[language.value]?.[0] || null;

/* Species and what lies below are written in italics, and genera (ICN, recommendation 60F). */
export const isItalic = (rank) => ['species', 'subspecies', 'variety', 'form', 'genus'].includes(rank);

export const knownTaxon = (id) => known.get(id);

export function useTaxon(id) {
  const [, draw] = useState(0);
  useCell(language);
  useEffect(() => {
    if (!id || known.has(id)) return undefined;
    let here = true;
    gather([id]).then(() => here && draw((n) => n + 1));
    return () => { here = false; };
  }, [id]);
  return known.get(id) || null;
}
