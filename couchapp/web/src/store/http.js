/* Requests to the store. What goes wrong is an HttpError; status 0 means that nobody answered. */

export class HttpError extends Error {
  constructor(status, reason) {
    super(reason);
    this.status = status;
  }

  get offline() { return this.status === 0; }
}

const WITHIN_MS = 30000;

export async function ask(method, path, body, { signal, headers = {}, within = WITHIN_MS } = {}) {
  const json = body !== undefined && !(body instanceof URLSearchParams);
  let answer;
  try {
    answer = await fetch(path, {
      method,
      credentials: 'same-origin',
      cache: 'no-cache',
      headers: { accept: 'application/json', ...(json ? { 'content-type': 'application/json' } : {}), ...headers },
      body: json ? JSON.stringify(body) : body,
      signal: AbortSignal.any ? AbortSignal.any([AbortSignal.timeout(within), ...(signal ? [signal] : [])]) : signal,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new HttpError(0, 'offline');
  }
  let value = null;
  try { value = await answer.json(); } catch { /* not JSON: the status says enough */ }
  if (!answer.ok) throw new HttpError(answer.status, value?.reason || value?.message || answer.statusText);
  return value;
}

export const get = (path, options) => ask('GET', path, undefined, options);

/* A query string; values are JSON, as CouchDB's views want them. */
export const query = (values) => {
  const parts = Object.entries(values).filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(JSON.stringify(value))}`);
  return parts.length ? `?${parts.join('&')}` : '';
};
