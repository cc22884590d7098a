/* Reading observations: an observation whole, with all that concerns it. What the store has comes first, what only this
 * device has is put beside it; without a network both come from this device. */
import { get } from './http.js';
import { partsOf } from './ids.js';
import { keep, kept, tidy } from './keep.js';
import { readRange } from './mine.js';
import { documentsPath, infoPath, isPartitioned, viewPath } from './paths.js';
import { me } from './session.js';
import { database } from './site.js';

const KEPT_MOST = 600;
let partitioned;

export async function hasPartitions() {
  partitioned ??= get(infoPath()).then(isPartitioned, () => { partitioned = undefined; return false; });
  return partitioned;
}

/* The documents of the store, predictions without their embeddings. */
async function fromStore(obs, signal) {
  const { rows } = await get(documentsPath(obs, await hasPartitions()), { signal });
  return rows.map(({ doc }) => { const { embedding, ...rest } = doc; return rest; });
}

const generation = (document) => Number.parseInt(document._rev, 10) || 0;

/* Both lists by id; of one document the higher revision. */
function merge(theirs, ours) {
  const all = new Map(theirs.map((document) => [document._id, document]));
  for (const document of ours) {
    const other = all.get(document._id);
    if (!other || generation(document) > generation(other)) all.set(document._id, { ...document, here: !other });
  }
  return [...all.values()];
}

const own = async (obs) => (me.value.uid ? readRange(`${obs}:`, `${obs};`) : []);

/* { obs, observation, views[], validations[], comments[], flags[], identification, consensus, withdrawn } of documents. */
export function assemble(obs, documents) {
  const whole = { obs, observation: null, normalized: {}, predictions: {}, images: {}, validations: [], comments: [], flags: [], identification: null, consensus: null };
  for (const document of documents) {
    const { kind, rest } = partsOf(document._id);
    if (kind === 'observation' || kind === 'identification' || kind === 'consensus') whole[kind] = document;
    else if (kind === 'normalized') whole.normalized[rest] = document;
    else if (kind === 'image') whole.images[rest] = document;
    else if (kind === 'prediction') (whole.predictions[document.image] ||= []).push(document);
    else if (kind === 'validation') whole.validations.push(document);
    else if (kind === 'comment') whole.comments.push(document);
    else if (kind === 'flag') whole.flags.push(document);
  }
  whole.comments.sort((a, b) => (a._id < b._id ? -1 : 1));
  whole.validations.sort((a, b) => (a.created_at < b.created_at ? -1 : 1));
  return whole;
}

/* An observation whole, or null if there is none. Rejects only if nothing is known of it and nobody answers. */
export async function readWhole(obs, { signal } = {}) {
  let theirs;
  try {
    theirs = await fromStore(obs, signal);
    if (theirs.length) keep('observations', [[obs, theirs]]).then(() => tidy(KEPT_MOST));
  } catch (error) {
    theirs = await kept('observations', obs);
    if (!theirs && !(error.offline || error.status >= 500)) throw error;
  }
  const documents = merge(theirs || [], await own(obs));
  if (documents.length === 0) return null;
  return assemble(obs, documents);
}

/* Where a picture is: { src, thumb, width, height } of the normalized one, or {} if there is none yet. */
export function pictureOf(whole, image) {
  const normalized = whole.normalized[image];
  if (!normalized) return {};
  const { page, thumb } = normalized.sizes;
  const at = (size) => {
    const stub = normalized._attachments?.[size.attachment];
    return `${database('main')}/${encodeURIComponent(normalized._id)}/${size.attachment}?d=${encodeURIComponent(stub?.digest || normalized._rev)}`;
  };
  return { src: at(page || thumb), thumb: at(thumb), width: page?.width, height: page?.height };
}

/* What has become of an observation: here, sent, identified, valid, review. `pending`: ids that are only here. */
export function stateOf(whole, pending) {
  const written = [whole.observation?._id, ...Object.values(whole.images).map((document) => document._id)];
  if (written.some((id) => id && pending.has(id))) return 'here';
  if (whole.consensus?.valid) return 'valid';
  if (whole.identification) return 'identified';
  return 'sent';
}

export const view = (db, name, options, how) => get(viewPath(db, name, options), how);
