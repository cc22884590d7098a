/* Learning of changes. `linnet serve` fans one feed out as server-sent events, of which a page takes those of what it looks at and
 * no others; a site without it is asked by short reads of _changes, and only while somebody looks. No browser holds a feed of the
 * store's open. */
import { get } from './http.js';
import { partsOf } from './ids.js';
import { database, site } from './site.js';

const EVERY_MS = 1500;
const SETTLED_MS = 250; // who leafs through observations opens no stream for each
const AGAIN_MS = 60000; // until `linnet serve` is looked for again where it was not
const watched = new Map(); // "observation=<obs>" or "observer=<uid>" -> {watchers, source, timer}
let since = null, timer = null, without = 0; // `without`: no events before this time, in milliseconds

const tell = (one, ids) => [...one.watchers].forEach((watcher) => watcher(ids));
const listening = (one) => one.source?.readyState === EventSource.OPEN;

/* By short reads: whose observation changed is not known of an id, so those who watch an observer's are told of all. */
function tellAll(ids) {
  for (const [what, one] of watched) {
    if (listening(one)) continue;
    const [name, value] = what.split('=');
    const of = name === 'observation' ? ids.filter((id) => partsOf(id).obs === value) : ids;
    if (of.length) tell(one, of);
  }
}

/* Something may have been missed: what is looked at is read again. */
const tellAnyway = () => [...watched].forEach(([what, one]) => listening(one) || tell(one, [`${what.split('=')[1]}:`]));

async function poll() {
  timer = null;
  if (![...watched.values()].some((one) => !listening(one))) { since = null; return; }
  if (document.visibilityState === 'visible') {
    try {
      const from = since === null ? 'since=now' : `since=${encodeURIComponent(since)}&limit=1000`;
      const { results, last_seq: last } = await get(`${database('main')}/_changes?${from}`);
      const first = since === null;
      since = last;
      if (first) tellAnyway(); // what came between the first look and this position
      else if (results.length) tellAll(results.map((row) => row.id));
    } catch { /* offline: the next turn asks again */ }
  }
  wake();
}

function wake() {
  if (timer === null && watched.size) timer = setTimeout(poll, since === null ? 0 : EVERY_MS);
}

/* Events of `linnet serve`, if it is there: each names a document that changed. */
function listen(what, one) {
  one.timer = null;
  if (Date.now() < without) { wake(); return; }
  const source = one.source = new EventSource(`${site.api}/events?${what}`);
  const again = () => tell(one, [`${what.split('=')[1]}:`]);
  source.addEventListener('hello', again); // what came between the first look and now
  source.addEventListener('reset', again);
  source.addEventListener('change', ({ data }) => {
    try {
      const { id } = JSON.parse(data);
      if (id) tell(one, [id]);
    } catch { /* not for us */ }
  });
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) without = Date.now() + AGAIN_MS; // nobody there who knows events
    if (watched.get(what) === one) wake(); // until it is back, ask
  };
}

function begin(what) {
  const one = { watchers: new Set(), source: null, timer: null };
  one.timer = setTimeout(listen, SETTLED_MS, what, one);
  watched.set(what, one);
  return one;
}

function end(what, one) {
  clearTimeout(one.timer);
  one.source?.close();
  watched.delete(what);
  if (watched.size === 0) since = null;
}

/* Call `watcher(ids)` when documents of an observation, or of any observation of an observer, change: `what` is {observation} or
 * {observer}. Returns the function that ends it. */
export function follow(what, watcher) {
  const key = Object.entries(what).map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
  const one = watched.get(key) || begin(key);
  one.watchers.add(watcher);
  return () => {
    one.watchers.delete(watcher);
    if (one.watchers.size === 0 && watched.get(key) === one) end(key, one);
  };
}
