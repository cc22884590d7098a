/* What this device keeps of what it has read, so that pages open without a network: one IndexedDB with three drawers. A cache
 * only; what a person writes lives in mine.js. Without IndexedDB (private windows of old browsers) nothing is kept. */
import { site } from './site.js';

const DRAWERS = ['observations', 'taxa', 'packs'];
let opening;

function open() {
  opening ??= new Promise((resolve) => {
    const request = indexedDB.open(`linnet-kept-${site.database}`, 1);
    request.onupgradeneeded = () => DRAWERS.forEach((name) => request.result.createObjectStore(name));
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => resolve(null);
  });
  return opening;
}

const settled = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

export async function kept(drawer, key) {
  const db = await open();
  return db ? settled(db.transaction(drawer).objectStore(drawer).get(key)) : undefined;
}

export async function keptKeys(drawer) {
  const db = await open();
  return db ? settled(db.transaction(drawer).objectStore(drawer).getAllKeys()) : [];
}

/* `entries`: [key, value] pairs. */
export async function keep(drawer, entries) {
  const db = await open();
  if (!db || entries.length === 0) return;
  const write = db.transaction(drawer, 'readwrite');
  for (const [key, value] of entries) write.objectStore(drawer).put(value, key);
  await new Promise((resolve) => { write.oncomplete = write.onerror = write.onabort = resolve; });
}

/* Keep the newest `most` observations (a ULID begins with its time). */
export async function tidy(most) {
  const db = await open(), keys = await keptKeys('observations');
  if (!db || keys.length <= most) return;
  const write = db.transaction('observations', 'readwrite').objectStore('observations');
  for (const key of keys.sort().slice(0, keys.length - most)) write.delete(key);
}
