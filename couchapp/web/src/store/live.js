/* Learning of changes. `linnet serve` fans one feed out as server-sent events; a site without it is asked by short reads of
 * _changes, and only while somebody looks. No browser holds a feed of the store's open. */
import { get } from './http.js';
import { partsOf } from './ids.js';
import { database, site } from './site.js';

const EVERY_MS = 1500;
const watchers = new Map(); // obs, or '*' -> Set of functions of a set of ids
let since = null, timer = null, events = null, tried = false;

function tell(ids) {
  const byObservation = new Map();
  for (const id of ids) {
    const { obs } = partsOf(id);
    byObservation.set(obs, [...(byObservation.get(obs) || []), id]);
  }
  for (const [obs, list] of byObservation) for (const watcher of watchers.get(obs) || []) watcher(list);
  for (const watcher of watchers.get('*') || []) watcher(ids);
}

/* Something was missed: all that is looked at is read again. */
const tellAll = () => tell([...watchers.keys()].filter((obs) => obs !== '*').map((obs) => `${obs}:`));

async function poll() {
  timer = null;
  if (watchers.size === 0 || events) return;
  if (document.visibilityState === 'visible') {
    try {
      const from = since === null ? 'since=now' : `since=${encodeURIComponent(since)}&limit=1000`;
      const { results, last_seq: last } = await get(`${database('main')}/_changes?${from}`);
      const first = since === null;
      since = last;
      if (first) tellAll(); // what came between the first look and this position
      else if (results.length) tell(results.map((row) => row.id));
    } catch { /* offline: the next turn asks again */ }
  }
  wake();
}

function wake() {
  if (timer === null && watchers.size && !events) timer = setTimeout(poll, since === null ? 0 : EVERY_MS);
}

/* Events of `linnet serve`, if it is there: each names documents that changed. */
function listen() {
  tried = true;
  const source = new EventSource(`${site.api}/events`);
  source.onopen = () => { events = source; tellAll(); };
  source.addEventListener('change', ({ data }) => {
    try {
      const { id } = JSON.parse(data);
      if (id) tell([id]);
    } catch { /* not for us */ }
  });
  source.addEventListener('reset', () => tellAll());
  source.onerror = () => {
    if (source.readyState !== EventSource.OPEN) { events = null; wake(); } // until it is back, ask
  };
}

/* Call `watcher(ids)` when documents of an observation ('*': any) change. Returns the function that ends it. */
export function follow(obs, watcher) {
  if (!watchers.has(obs)) watchers.set(obs, new Set());
  watchers.get(obs).add(watcher);
  if (!tried) listen();
  wake();
  return () => {
    watchers.get(obs)?.delete(watcher);
    if (watchers.get(obs)?.size === 0) watchers.delete(obs);
    if (watchers.size === 0) since = null;
  };
}
