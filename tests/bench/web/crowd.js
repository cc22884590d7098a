'use strict';
/* What open pages cost the store's writes: the same batches with and without them, in turns. */
const http = require('node:http');

/* `count` streams of events, each of an observation of its own, as pages have them; resolves when every one has been greeted. */
function open(server, count, ulid) {
  const agent = new http.Agent({ maxSockets: Infinity }), requests = [];
  const greeted = Array.from({ length: count }, (_, i) => new Promise((resolve, reject) => {
    const request = http.get(`${server.url}/v2/events?observation=${ulid(i)}`, { agent }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`events: ${answer.statusCode}`));
      answer.on('data', (data) => { if (String(data).includes('event: hello')) resolve(); });
      answer.on('error', () => {}); // closed by us
    });
    request.on('error', reject);
    requests.push(request);
  }));
  return Promise.all(greeted).then(() => () => { requests.forEach((request) => request.destroy()); agent.destroy(); });
}

/* Milliseconds that `batches` writes of `size` observations take. */
async function write(store, batches, size, make) {
  const begin = performance.now();
  for (let i = 0; i < batches; i++) {
    const { json } = await store.ask('POST', '/linnet/_bulk_docs', { docs: Array.from({ length: size }, make) });
    if (!Array.isArray(json) || json.some((row) => row.error)) throw new Error(`the store refuses: ${JSON.stringify(json).slice(0, 200)}`);
  }
  return performance.now() - begin;
}

module.exports = { open, write };
