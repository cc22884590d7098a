/* Addresses after '#', so that the same files work below a design document, at /app and offline. */
import { Cell } from './state.js';

const parse = () => {
  const [path, query = ''] = decodeURI(location.hash.slice(1) || '/').split('?');
  return { parts: path.split('/').filter(Boolean).map(safeDecode), query: new URLSearchParams(query) };
};

function safeDecode(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}

export const route = new Cell(parse());

export function go(path, { replace = false } = {}) {
  if (replace) history.replaceState(null, '', `#${path}`);
  else history.pushState(null, '', `#${path}`);
  route.set(parse());
}

/* Follow the address bar. A new page begins at its top and with the keyboard's focus on its heading. */
export function startRouter() {
  addEventListener('popstate', () => route.set(parse()));
  addEventListener('hashchange', () => route.set(parse()));
  let page = route.value.parts.join('/');
  route.watch(({ parts }) => {
    if (parts.join('/') === page) return;
    page = parts.join('/');
    scrollTo(0, 0);
    requestAnimationFrame(() => document.querySelector('main')?.focus({ preventScroll: true }));
  });
}

export const link = {
  observation: (obs) => `#/o/${encodeURIComponent(obs)}`,
  taxon: (id) => `#/t/${encodeURIComponent(id)}`,
  user: (uid) => `#/u/${encodeURIComponent(uid)}`,
};
