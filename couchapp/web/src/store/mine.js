/* What I wrote, saved on this device first: a PouchDB for each person, pushed in one-shot replications (sync.js). */
import { me } from './session.js';
import { site } from './site.js';

let module;
const databases = new Map(); // uid -> PouchDB

/* PouchDB is half of the app's weight: it comes when it is needed. */
export async function pouch() {
  module ??= import('pouchdb-browser').then((found) => found.default);
  return module;
}

export async function mine(uid = me.value.uid) {
  if (!uid) throw new Error('nobody is signed in');
  if (!databases.has(uid)) {
    const PouchDB = await pouch();
    databases.set(uid, new PouchDB(`linnet-${site.database}-${uid}`, { auto_compaction: true, revs_limit: 50 }));
  }
  return databases.get(uid);
}

/* Has anything been written here? Who only reads never fetches PouchDB: nothing of theirs waits in it. */
const mark = (uid) => `linnet.wrote.${site.database}.${uid}`;

export function wrote(uid = me.value.uid) {
  try { return Boolean(uid) && localStorage.getItem(mark(uid)) !== null; } catch { return Boolean(uid); } // not told: it is looked up
}

function noteWriting() {
  try { localStorage.setItem(mark(me.value.uid), '1'); } catch { /* see wrote() */ }
}

/* Documents written, by id; told to `changed` watchers. */
export const changed = new EventTarget();
const tell = (ids) => changed.dispatchEvent(new CustomEvent('written', { detail: ids }));

export async function write(documents) {
  const db = await mine();
  noteWriting();
  const answers = await db.bulkDocs(documents);
  const failed = answers.find((answer) => answer.error);
  if (failed) throw new Error(failed.reason || failed.message);
  tell(documents.map((document) => document._id));
}

/* A document as it stands here, or undefined. */
export async function read(id) {
  if (!wrote()) return undefined;
  try {
    return await (await mine()).get(id);
  } catch (error) {
    if (error.status === 404) return undefined;
    throw error;
  }
}

export async function readRange(start, end) {
  if (!wrote()) return [];
  const answer = await (await mine()).allDocs({ startkey: start, endkey: end, include_docs: true });
  return answer.rows.map((row) => row.doc);
}

/* Which of these documents are here. */
export async function hereOf(ids) {
  if (!wrote()) return [];
  const { rows } = await (await mine()).allDocs({ keys: ids });
  return rows.filter((row) => row.value && !row.value.deleted).map((row) => row.id);
}

export async function picture(id) {
  if (!wrote()) return null;
  try {
    return await (await mine()).getAttachment(id, 'original');
  } catch {
    return null;
  }
}

/* Take a revision that stands in the store, so that what is written next replaces it and makes no conflict. */
export async function adopt(document) {
  const db = await mine();
  noteWriting();
  await db.bulkDocs([document], { new_edits: false });
}
