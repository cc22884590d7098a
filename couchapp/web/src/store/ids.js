/* Ids: ULIDs, digests, the parts of a document's id. */

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/* A ULID (github.com/ulid/spec): 48 bits of milliseconds, 80 random bits, in Crockford's base 32. */
export function ulid(ms = Date.now()) {
  let time = '';
  for (let i = 0, left = ms; i < 10; i++, left = Math.floor(left / 32)) time = ALPHABET[left % 32] + time;
  return time + Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => ALPHABET[byte & 31]).join('');
}

/* The time within a ULID, as a Date. */
export function timeOf(text) {
  let ms = 0;
  for (const letter of text.slice(0, 10)) ms = ms * 32 + ALPHABET.indexOf(letter);
  return new Date(ms);
}

/* SHA-256 in lower-case hexadecimal. */
export async function digest(bytes) {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export const partsOf = (id) => {
  const [obs, kind, ...rest] = id.split(':');
  return { obs, kind, rest: rest.join(':') };
};
