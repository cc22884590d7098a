/* Requests to the store. What goes wrong is an HttpError; status 0 means that nobody answered. */
import { begun } from './begun.js';

export class HttpError extends Error {
  constructor(status, reason) {
    super(reason);
    this.status = status;
  }

  get offline() { return this.status === 0; }
}

const WITHIN_MS = 30000;

/* An answer read whole: { ok, status, statusText, value }, `value` null where it is no JSON. */
export async function exchange(path, { headers = {}, ...more } = {}) {
  const answer = await fetch(path, { credentials: 'same-origin', cache: 'no-cache', headers: { accept: 'application/json', ...headers }, ...more });
  const { ok, status, statusText } = answer;
  return { ok, status, statusText, value: await answer.json().catch(() => null) };
}

export async function ask(method, path, body, { signal, headers = {}, within = WITHIN_MS } = {}) {
  const json = body !== undefined && !(body instanceof URLSearchParams);
  const early = method === 'GET' ? await begun(path) : undefined;
  let answer = early;
  try {
    answer ??= await exchange(path, {
      method,
      headers: { ...(json ? { 'content-type': 'application/json' } : {}), ...headers },
      body: json ? JSON.stringify(body) : body,
      signal: AbortSignal.any ? AbortSignal.any([AbortSignal.timeout(within), ...(signal ? [signal] : [])]) : signal,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new HttpError(0, 'offline');
  }
  const { ok, status, statusText, value } = answer;
  if (!ok) throw new HttpError(status, value?.reason || value?.message || statusText);
  return value;
}

export const get = (path, options) => ask('GET', path, undefined, options);

/* A query string; values are JSON, as CouchDB's views want them. */
export const query = (values) => {
  const parts = Object.entries(values).filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(JSON.stringify(value))}`);
  return parts.length ? `?${parts.join('&')}` : '';
};
