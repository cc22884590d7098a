/* The page's first script, small and without the app: while that is on its way, the code of the page at hand is sent for, and the documents
 * that it will want first. The app takes up what was asked (store/begun.js); nothing waits for this script, nothing needs it. */
import { lay } from './store/begun.js';
import { exchange } from './store/http.js';
import { documentsPath, infoPath, isPartitioned, reviewPath } from './store/paths.js';
import { findSite } from './store/site.js';
import { remembered } from './store/who.js';

const FILES = __PAGES__; // page -> its files beside those of every page

const WITHIN_MS = 15000; // who takes an answer up that does not come asks again

const begin = (path) => lay(path, exchange(path, { signal: AbortSignal.timeout?.(WITHIN_MS) }));

function code(page) {
  for (const name of FILES[page] || []) document.head.append(Object.assign(document.createElement('link'), { rel: 'modulepreload', crossOrigin: '', href: `./${name}` }));
}

/* The queue, and who stands first in it. */
async function review() {
  if (!remembered().uid) return;
  const info = begin(infoPath()), { value } = await begin(reviewPath()), first = value?.rows?.[0]?.key;
  if (first) await begin(documentsPath(first, isPartitioned((await info).value)));
}

async function observation(obs) {
  const { value } = await begin(infoPath());
  if (obs) await begin(documentsPath(obs, isPartitioned(value)));
}

async function start() {
  const [, page, rest] = /^#\/([a-z]+)(?:\/([^?]*))?/.exec(location.hash) || [], plain = !location.hash.includes('?');
  code(page);
  await findSite(begin);
  if (page === 'review' && plain) await review();
  else if (page === 'o') await observation(decodeURIComponent(rest || ''));
}

start().catch(() => { /* the app asks, and says what is wrong */ });
