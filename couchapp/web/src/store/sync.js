/* Sending what I wrote: a one-shot replication whenever there is something to send and somebody to send it to. Nothing is
 * held open. What the store refuses is remembered with its reason and never sent silently again. */
import { Cell } from '../state.js';
import { checkSession, me } from './session.js';
import { changed, mine, pouch, wrote } from './mine.js';
import { database } from './site.js';

const AGAIN_FIRST_MS = 2000;
const AGAIN_MOST_MS = 60000;
const NOTE = '_local/linnet-sent';

/* state: idle, sending, offline, signed-out; pending: documents not sent yet; refused: {id: reason}. */
export const sync = new Cell({ state: 'idle', pending: 0, refused: {}, sent: 0 });

let running = false, wanted = false, timer, delay = AGAIN_FIRST_MS;

const note = async (db) => {
  try { return await db.get(NOTE); } catch { return { _id: NOTE, seq: 0, refused: {} }; }
};

/* Ids of documents that have changed since the last push, and all that were refused. */
export async function pendingIds() {
  if (!wrote()) return new Set();
  const db = await mine(), sent = await note(db);
  const { results } = await db.changes({ since: sent.seq });
  return new Set([...results.map((row) => row.id), ...Object.keys(sent.refused)]);
}

async function remote() {
  const PouchDB = await pouch();
  const fetch = (url, options) => globalThis.fetch(url, { ...options, credentials: 'same-origin' });
  return new PouchDB(new URL(database('main'), location.href).href, { skip_setup: true, fetch });
}

/* One push. Pictures are big, so a batch is small: what went through stays sent if the next one breaks. */
async function push(db) {
  const sent = await note(db), refused = { ...sent.refused };
  const options = { checkpoint: 'source', batch_size: 4, batches_limit: 1, since: sent.seq };
  const replication = db.replicate.to(await remote(), options);
  replication.on('denied', ({ doc }) => { if (doc?.id) refused[doc.id] = doc.reason || doc.message || 'refused'; });
  const result = await replication;
  if (!result.ok) throw new Error('the replication did not end well');
  await db.put({ ...sent, seq: result.last_seq, refused });
  return { refused, written: result.docs_written };
}

async function look(db, changes = {}) {
  const sent = await note(db), { results } = await db.changes({ since: sent.seq });
  sync.set({ ...sync.value, pending: results.length, refused: sent.refused, ...changes });
  return results.length;
}

function again() {
  clearTimeout(timer);
  timer = setTimeout(send, delay);
  delay = Math.min(delay * 2, AGAIN_MOST_MS);
}

/* Push what is pending. Never rejects; called as often as one likes, it runs once at a time. */
export async function send() {
  if (running) { wanted = true; return; }
  if (!me.value.uid) { sync.set({ ...sync.value, state: 'signed-out', pending: 0 }); return; }
  if (!wrote()) { sync.set({ ...sync.value, state: 'idle', pending: 0, refused: {} }); return; }
  running = true;
  wanted = false;
  clearTimeout(timer);
  const db = await mine();
  try {
    if (await look(db)) {
      sync.set({ ...sync.value, state: 'sending' });
      const { written } = await push(db);
      sync.set({ ...sync.value, sent: sync.value.sent + written });
    }
    delay = AGAIN_FIRST_MS;
    await look(db, { state: 'idle' });
  } catch (error) {
    const signedOut = error.status === 401;
    await look(db, { state: signedOut ? 'signed-out' : 'offline' });
    if (signedOut) await checkSession();
    again();
  } finally {
    running = false;
  }
  if (wanted) send();
}

/* Send a refused document again: what refused it may have been put right. */
export async function sendAgain(ids) {
  const db = await mine(), sent = await note(db);
  const target = await remote();
  await db.replicate.to(target, { doc_ids: ids, checkpoint: false });
  const refused = Object.fromEntries(Object.entries(sent.refused).filter(([id]) => !ids.includes(id)));
  await db.put({ ...sent, refused });
  await look(db);
}

export function startSync() {
  changed.addEventListener('written', () => send());
  addEventListener('online', () => { delay = AGAIN_FIRST_MS; send(); });
  me.watch(() => send());
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && send());
  if (me.value.uid) send();
}
