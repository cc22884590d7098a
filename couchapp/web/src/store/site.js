/* Where the store is. Below a design document the address says it; elsewhere (`linnet serve`) config.json beside the page does. */

export const site = { root: '/', database: 'linnet', api: '/v2' };

export async function findSite() {
  const attached = /^(.*\/)([^/]+)\/_design\/[^/]+\//.exec(location.pathname);
  if (attached) {
    site.root = attached[1];
    site.database = decodeURIComponent(attached[2]);
    site.api = `${attached[1]}v2`;
    return;
  }
  try {
    const answer = await fetch('./config.json');
    if (answer.ok) Object.assign(site, await answer.json());
  } catch { /* offline: the service worker has the one of last time, or the defaults hold */ }
}

const named = { main: '', reference: '-reference', ops: '-ops' };

/* The path of one of the three databases. */
export const database = (which) => `${site.root}${encodeURIComponent(site.database)}${named[which]}`;
