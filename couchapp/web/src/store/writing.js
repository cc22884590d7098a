/* The documents that a person writes: observation with pictures, vote. All go to this device first. */
import { publicPlace } from '../place/place.js';
import { get } from './http.js';
import { ulid } from './ids.js';
import { adopt, read, write } from './mine.js';
import { me } from './session.js';
import { database } from './site.js';

const now = () => new Date().toISOString();

/* Save an observation. `draft`: { pictures: [{blob, type, digest, organ}], place, publish, observed_at, flora, wild, licence }.
 * Returns its ULID. */
export async function saveObservation(draft) {
  const obs = ulid(), observer = me.value.uid, created = now();
  const images = draft.pictures.map(({ digest, type, blob }) => ({
    _id: `${obs}:image:${digest}`, kind: 'image', observer, created_at: created,
    _attachments: { original: { content_type: type, data: blob } },
  }));
  const observation = {
    _id: `${obs}:observation`, kind: 'observation', observer, created_at: created,
    observed_at: draft.observed_at,
    ...(draft.place ? { location: await publicPlace(draft.place, draft.publish) } : {}),
    views: draft.pictures.map(({ digest, organ }) => ({ image: digest, organ, licence: draft.licence })),
    ...(draft.flora ? { flora: draft.flora } : {}),
    ...(draft.proposed ? { proposed_taxon: draft.proposed } : {}),
    ...(draft.wild === false ? { wild: false } : {}),
  };
  await write([...images, observation]); // pictures first: the observation waits for them
  return obs;
}

export const voteId = (obs) => `${obs}:validation:${me.value.uid}`;

/* Have here what stands in the store, so that the next revision follows it. Without a network the worker settles it. */
async function standing(id) {
  const here = await read(id);
  try {
    const there = await get(`${database('main')}/${encodeURIComponent(id)}?revs=true`);
    if (!here || Number.parseInt(there._rev, 10) > Number.parseInt(here._rev, 10)) {
      await adopt(there);
      return read(id);
    }
  } catch { /* none there, or nobody answers */ }
  return here;
}

/* Vote on an observation: `what` is {vote, taxon?, disagrees_with?, views?, suggested?}. Returns the vote that it replaces, or
 * undefined; `restore` puts that back. */
export async function vote(obs, what) {
  const before = await standing(voteId(obs));
  const document = { _id: voteId(obs), kind: 'validation', user: me.value.uid, created_at: now(), ...what };
  if (before) document._rev = before._rev;
  await write([document]);
  return before;
}

export async function restore(obs, before) {
  const at = await read(voteId(obs));
  if (!at) return;
  if (!before) {
    await write([{ _id: at._id, _rev: at._rev, _deleted: true }]);
  } else {
    const { _rev, ...vote } = before;
    await write([{ ...vote, _rev: at._rev, created_at: now() }]);
  }
}

/* Withdraw a document of one's own. */
export async function withdraw(id) {
  const at = await standing(id);
  if (at) await write([{ _id: id, _rev: at._rev, _deleted: true }]);
}

/* Withdraw an observation with its pictures; what workers derived of it goes by their hands. */
export async function withdrawObservation(whole) {
  for (const id of [...Object.values(whole.images).map((image) => image._id), whole.observation._id]) await withdraw(id);
}

/* Say something about an observation. */
export async function comment(obs, text) {
  await write([{ _id: `${obs}:comment:${ulid()}`, kind: 'comment', user: me.value.uid, created_at: now(), text }]);
}

/* Ask a moderator to look; once for each person and observation. */
export async function flag(obs, { reason, image, note }) {
  const id = `${obs}:flag:${me.value.uid}`, before = await standing(id);
  await write([{
    _id: id, kind: 'flag', user: me.value.uid, created_at: now(), reason, ...(image ? { image } : {}), ...(note ? { note } : {}),
    ...(before ? { _rev: before._rev } : {}),
  }]);
}
