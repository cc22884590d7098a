'use strict';
/* What the tests in JavaScript share: requests to a store, the linnet program, waiting on conditions. */
const { spawn } = require('node:child_process');
const http = require('node:http');
const path = require('node:path');

const PROGRAM = process.env.LINNET || path.join(__dirname, '..', '..', 'build', 'bin', 'linnet');

/* The store that the environment names. */
const store = new URL(process.env.LINNET_COUCHDB_URL || 'http://127.0.0.1:5984');
const prefix = process.env.LINNET_PREFIX || 'linnet';
const admin = `${decodeURIComponent(store.username)}:${decodeURIComponent(store.password)}`;

/* One request. `as` is user:password, null for nobody. */
function call(method, where, { as = admin, body, type = 'application/json' } = {}) {
  const payload = body === undefined ? undefined : Buffer.isBuffer(body) || typeof body === 'string' ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const headers = {};
    if (as) headers.authorization = `Basic ${Buffer.from(as).toString('base64')}`;
    if (payload !== undefined) Object.assign(headers, { 'content-type': type, 'content-length': Buffer.byteLength(payload) });
    const request = http.request({ host: store.hostname, port: store.port, path: where, method, headers, agent: false }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        let json;
        try {
          json = JSON.parse(text);
        } catch {
          json = undefined;
        }
        resolve({ status: response.statusCode, json, text });
      });
    });
    request.on('error', reject);
    request.end(payload);
  });
}

/* linnet ARGUMENTS: { code, out, err, json }. */
function linnet(words, { environment = {}, input = '' } = {}) {
  const child = spawn(PROGRAM, words, { env: { ...process.env, ...environment } });
  let out = '';
  let err = '';
  child.stdout.on('data', (data) => (out += data));
  child.stderr.on('data', (data) => (err += data));
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      let json;
      try {
        json = JSON.parse(out);
      } catch {
        json = undefined;
      }
      resolve({ code, out, err, json });
    });
  });
}

module.exports = { PROGRAM, admin, call, linnet, prefix, store };
