/* Pictures that look like an observation's, as `linnet serve` finds them among validated ones. A site without it has none. */
import { language } from '../i18n/index.js';
import { get } from './http.js';
import { site } from './site.js';

const AGAIN_MS = 60000, KEPT_MOST = 40;
const found = new Map(); // obs -> promise
let without = 0; // nobody is asked before this time, in milliseconds

/* The address of a thumb: of our own origin, whatever the server takes itself for. */
const thumb = ({ observation, id }) => `${site.api}/observations/${observation}/images/${id}/s`;
const pictures = (list) => (list || []).map((one) => ({ obs: one.observation, digest: one.id, taxon: one.taxon, src: thumb(one), duplicate: Boolean(one.nearDuplicate) }));

/* 400 is an older server's, 404 one that keeps no index (or no server at all): asked again later. Offline likewise. */
async function load(obs) {
  try {
    const { similar, identification } = await get(`${site.api}/observations/${obs}?include-related-images=true&lang=${language.value}`);
    const byTaxon = new Map((identification?.results || []).map(({ taxon, images }) => [taxon, pictures(images)]));
    return { byTaxon, all: pictures(similar) };
  } catch {
    without = Date.now() + AGAIN_MS;
    return null;
  }
}

/* { byTaxon: Map of a candidate to validated pictures of it, nearest first; all: the nearest whatever they show }, each picture {obs,
 * digest, taxon?, src, duplicate}; null: nobody knows. */
export function alike(obs) {
  if (!found.has(obs)) {
    if (Date.now() < without) return Promise.resolve(null);
    found.set(obs, load(obs).then((value) => { if (!value) found.delete(obs); return value; }));
    if (found.size > KEPT_MOST) found.delete(found.keys().next().value);
  }
  return found.get(obs);
}

/* ULIDs of validated observations that share a picture with another, latest first, pairs together. */
export async function duplicates() {
  const pairs = await get(`${site.api}/duplicates?pageSize=100`);
  return [...new Set(pairs.flatMap(({ images }) => images.map((one) => one.observation)))];
}
