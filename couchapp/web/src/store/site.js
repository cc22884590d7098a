/* Where the store is. Below a design document the address says it; elsewhere (`linnet serve`) config.json beside the page does. */

export const site = { root: '/', database: 'linnet', api: '/v2' };

/* `ask`: how config.json is asked for, as exchange() (http.js) does. */
export async function findSite(ask) {
  const attached = /^(.*\/)([^/]+)\/_design\/[^/]+\//.exec(location.pathname);
  if (attached) {
    site.root = attached[1];
    site.database = decodeURIComponent(attached[2]);
    site.api = `${attached[1]}v2`;
    return;
  }
  try {
    const { ok, value } = await ask('./config.json');
    if (ok) Object.assign(site, value);
  } catch { /* offline: the service worker has the one of last time, or the defaults hold */ }
}

const named = { main: '', reference: '-reference', ops: '-ops' };

/* The path of one of the three databases. */
export const database = (which) => `${site.root}${encodeURIComponent(site.database)}${named[which]}`;
