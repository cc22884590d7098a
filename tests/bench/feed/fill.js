#!/usr/bin/env node
'use strict';
/* Makes a database with N observations as the app writes them:   node fill.js URL DATABASE N [partitioned] */
const http = require('http');

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

function ulid(n) {
  let text = '';
  for (let i = 0; i < 26; i++) { text = ALPHABET[n % 32] + text; n = Math.floor(n / 32); }
  return '01K' + text.slice(3);
}

function observation(n) {
  const digest = (i) => (n * 10 + i).toString(16).padStart(64, '0');
  return {
    _id: `${ulid(n)}:observation`, kind: 'observation', observer: `user${String(n % 997).padStart(6, '0')}`,
    created_at: '2026-05-03T10:25:30.000Z', observed_at: '2026-05-03T10:21:00Z',
    location: { decimalLatitude: 43.6, decimalLongitude: 3.8, coordinateUncertaintyInMeters: 15700 },
    views: [0, 1].map((i) => ({ image: digest(i), organ: i ? 'leaf' : 'flower', licence: 'CC-BY-4.0' })),
    flora: 'flora:weurope', wild: true,
  };
}

function request(url, method, path, body) {
  return new Promise((resolve, reject) => {
    const { hostname, port, username, password } = new URL(url);
    const call = http.request({ hostname, port, method, path, agent: request.agent, auth: `${username}:${decodeURIComponent(password)}`,
      headers: { 'content-type': 'application/json' } }, (answer) => {
      let text = '';
      answer.on('data', (chunk) => { text += chunk; });
      answer.on('end', () => (answer.statusCode < 300 ? resolve(text) : reject(new Error(`${method} ${path}: ${answer.statusCode} ${text}`))));
    });
    call.on('error', reject);
    call.end(body && JSON.stringify(body));
  });
}
request.agent = new http.Agent({ keepAlive: true });

async function main() {
  const [url, name, n, partitioned] = process.argv.slice(2);
  await request(url, 'PUT', `/${name}${partitioned ? '?partitioned=true' : ''}`);
  for (let from = 0; from < n; from += 1000) {
    const docs = [];
    for (let i = from; i < Math.min(n, from + 1000); i++) docs.push(observation(i));
    await request(url, 'POST', `/${name}/_bulk_docs`, { docs });
  }
  request.agent.destroy();
}

main().catch((error) => { console.error(error.message); process.exit(1); });
