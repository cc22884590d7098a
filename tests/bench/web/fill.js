'use strict';
/* A store with very many observations, of one that went the whole way: its documents under other ids, older than itself. The newest
 * have their pictures too; of the others nobody sees more than lists do. What guards the store stands aside meanwhile (it costs
 * two thirds of the rate), and no worker may be about. */

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const AT_ONCE = 1000; // observations a request
const TOGETHER = 2; // requests
const EMBEDDED = new Set(['observation', 'identification', 'consensus']);

/* The n-th ULID of a row that ends before those of today. */
function ulid(n) {
  let text = '';
  for (let i = 0; i < 10; i++) { text = ALPHABET[n % 32] + text; n = Math.floor(n / 32); }
  return `01J${'0'.repeat(13)}${text}`;
}

function clone(documents, from, to) {
  return documents.map((document) => {
    const { _rev, ...copy } = JSON.parse(JSON.stringify(document).replaceAll(from, to));
    for (const stub of Object.values(copy._attachments || {})) { delete stub.revpos; delete stub.stub; delete stub.digest; delete stub.length; }
    return copy;
  });
}

/* Fill `store` with `count` observations like `obs`, the last `pictured` of them with pictures. Resolves with their ULIDs, newest last. */
async function fill(store, obs, count, pictured) {
  const where = `/linnet/_all_docs?include_docs=true&attachments=true&startkey=${encodeURIComponent(JSON.stringify(`${obs}:`))}&endkey=${encodeURIComponent(JSON.stringify(`${obs};`))}`;
  const whole = (await store.get(where)).rows.map(({ doc }) => doc), light = whole.filter(({ kind }) => EMBEDDED.has(kind));
  const door = await store.get('/linnet/_design/door'), bare = { ...door };
  delete bare.validate_doc_update;
  const { rev } = (await store.ask('PUT', '/linnet/_design/door', bare)).json;
  const ids = Array.from({ length: count }, (_, n) => ulid(n + 1));
  let next = 0;
  await Promise.all(Array.from({ length: TOGETHER }, async () => {
    while (next < count) {
      const size = next >= count - pictured ? 10 : Math.min(AT_ONCE, count - pictured - next), begin = next;
      next += size;
      const docs = ids.slice(begin, begin + size).flatMap((id) => clone(begin >= count - pictured ? whole : light, obs, id));
      const answer = await store.ask('POST', '/linnet/_bulk_docs', { docs });
      const refused = Array.isArray(answer.json) ? answer.json.find((row) => row.error) : answer;
      if (refused) throw new Error(`the store refuses: ${JSON.stringify(refused).slice(0, 300)}`);
    }
  }));
  await store.ask('PUT', '/linnet/_design/door', { ...door, _rev: rev });
  return ids;
}

module.exports = { fill };
