/* The service worker: the app's own files from this device, pictures once seen too. Documents are never cached here; what the
 * pages keep of them is theirs (store/keep.js, store/mine.js). */
const VERSION = '%VERSION%', FILES = '%FILES%';
const SHELL = `linnet-shell-${VERSION}`, PICTURES = 'linnet-pictures';
const PICTURES_MOST = 800;
const here = new URL('./', self.location.href);

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(SHELL).then((cache) => cache.addAll(FILES.map((name) => new Request(new URL(name, here), { cache: 'reload' })))).then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
  const old = (name) => name.startsWith('linnet-shell-') && name !== SHELL;
  event.waitUntil(caches.keys().then((names) => Promise.all(names.filter(old).map((name) => caches.delete(name)))).then(() => self.clients.claim()));
});

/* A normalized picture's address carries the digest of its bytes: what is under it never changes. */
async function picture(request) {
  const cache = await caches.open(PICTURES), found = await cache.match(request);
  if (found) return found;
  const answer = await fetch(request);
  if (answer.ok) {
    await cache.put(request, answer.clone());
    const keys = await cache.keys();
    for (const key of keys.slice(0, Math.max(0, keys.length - PICTURES_MOST))) await cache.delete(key);
  }
  return answer;
}

async function shell(request, url) {
  const cache = await caches.open(SHELL), name = url.pathname === here.pathname ? new URL('index.html', here).href : request;
  return (await cache.match(name, { ignoreSearch: true })) || fetch(request);
}

self.addEventListener('fetch', (event) => {
  const { request } = event, url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== here.origin) return;
  if (url.searchParams.has('d') && /:normalized:|%3Anormalized%3A/.test(url.pathname)) event.respondWith(picture(request));
  else if (url.pathname.startsWith(here.pathname) && !url.pathname.startsWith(`${here.pathname}config.json`)) event.respondWith(shell(request, url));
});
