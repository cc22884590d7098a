/* The service worker: the app's own files from this device, pictures once seen too. Documents are never cached here; what the
 * pages keep of them is theirs (store/keep.js, store/mine.js). */
const VERSION = "492f5311df252049", FILES = ["assets/account-sRbBfbLK.js","assets/countries-50m-DgYPl3oJ.js","assets/es-BMqwubCq.js","assets/floras-C980IAFc.js","assets/fr-D3ElNONQ.js","assets/index-B3kGCEVd.css","assets/index-CEqYrrBV.js","assets/index.es-BCzc2O-Y.js","assets/layers-2x-Bpkbi35X.png","assets/layers-BWBAp2CZ.png","assets/libsodium-wrappers-TEsNWWZ_.js","assets/live-BwvryiA2.js","assets/map-CO8SNstk.js","assets/map-CqzSHIH7.css","assets/marker-icon-hN30_KVU.png","assets/mine-C-79QM3p.js","assets/mine-DDf4ep-H.js","assets/observation-DCJ7F_uz.js","assets/observations-Dld5pjUT.js","assets/observe-A1Xh2A5y.js","assets/review-BA-MnUU4.js","assets/signin-BGzSZ2sM.js","assets/source-sans-3-latin-400-normal-AFMiCETP.woff","assets/source-sans-3-latin-400-normal-DQi5PRDE.woff2","assets/source-sans-3-latin-600-normal-BvDVuF-j.woff","assets/source-sans-3-latin-600-normal-DeckBYAU.woff2","assets/source-serif-4-latin-400-italic-0j97Jm6B.woff2","assets/source-serif-4-latin-400-italic-Dv9jnFA_.woff","assets/source-serif-4-latin-500-normal-CUHe9xxf.woff2","assets/source-serif-4-latin-500-normal-DVVamBqs.woff","assets/src-BnENo9bV.js","assets/sync-DkCvBpsY.js","assets/views-Cya1Rs4_.js","assets/writing-Cgh7OkoE.js","icon.svg","index.html","manifest.webmanifest"];
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
