'use strict';
/* A `linnet serve` of the tests' own: on a free port of the loopback, with a folder of reference documents or with a store. */
const { spawn, spawnSync } = require('child_process');
const fs = require('fs');
const http = require('http');
const net = require('net');
const os = require('os');
const path = require('path');
const { draw, freePort, modelFolder, once, program, until } = require('./lib');

/* The backbone, floras and the model that ships, as a folder. */
function references(samples) {
  return once(path.join(samples, 'references'), (folder) => {
    fs.cpSync(path.join(samples, 'backbone'), folder, { recursive: true });
    const model = JSON.parse(fs.readFileSync(path.join(modelFolder, 'model.json'), 'utf8'));
    model._attachments = { 'model.onnx': {} };
    fs.writeFileSync(path.join(folder, 'model.json'), JSON.stringify(model));
    fs.mkdirSync(path.join(folder, 'model'));
    fs.copyFileSync(path.join(modelFolder, 'flora-inception.onnx'), path.join(folder, 'model/model.onnx'));
  });
}

class Server {
  /* `options`: store, references, config (object), env, args. */
  constructor(options = {}) {
    this.options = options;
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'linnet-serve-'));
    this.log = path.join(this.folder, 'serve.log');
    this.port = freePort();
    this.url = `http://127.0.0.1:${this.port}`;
    this.config = path.join(this.folder, 'serve.json');
    fs.writeFileSync(this.config, JSON.stringify({ listen: `127.0.0.1:${this.port}`, cache_dir: path.join(this.folder, 'cache'), ...options.config }));
  }

  start() {
    const args = ['serve', '--config', this.config, '--json', ...(this.options.references ? ['--references', this.options.references] : []), ...(this.options.args || [])];
    const log = fs.openSync(this.log, 'a');
    this.process = spawn(program, args, { env: { ...(this.options.store ? this.options.store.env : process.env), ...this.options.env }, stdio: ['ignore', log, log] });
    fs.closeSync(log);
    this.ended = new Promise((resolve) => this.process.on('exit', (code, signal) => resolve({ code, signal })));
    return this;
  }

  async ready(timeoutMs = 60000) {
    return until(() => `the server is ready\n${this.tail()}`, async () => {
      if (this.process.exitCode !== null) throw new Error(`the server ended\n${this.tail()}`);
      try { return (await fetch(`${this.url}/readyz`)).status === 200; } catch { return false; }
    }, timeoutMs);
  }

  /* SIGTERM; resolves with {code, signal}. */
  async stop() {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      process.kill(this.process.pid, 'SIGTERM');
      const timer = setTimeout(() => process.kill(this.process.pid, 'SIGKILL'), 60000);
      this.exit = await this.ended;
      clearTimeout(timer);
    }
    fs.rmSync(this.folder, { recursive: true, force: true });
    return this.exit;
  }

  tail(lines = 20) { return fs.existsSync(this.log) ? fs.readFileSync(this.log, 'utf8').trim().split('\n').slice(-lines).join('\n') : ''; }
  lines() { return fs.readFileSync(this.log, 'utf8').trim().split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line)); }
  memory(name = 'VmRSS') { return Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(fs.readFileSync(`/proc/${this.process.pid}/status`, 'utf8'))[1]) / 1024; }

  /* One request: {status, headers, text, json}. */
  ask(method, target, { headers = {}, body, agent } = {}) {
    return new Promise((resolve, reject) => {
      const request = http.request(`${this.url}${target}`, { method, agent, headers: { ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }), ...headers } }, (response) => {
        const pieces = [];
        response.on('data', (piece) => pieces.push(piece));
        response.on('end', () => resolve(answer(response.statusCode, response.headers, Buffer.concat(pieces).toString())));
        response.on('error', reject);
      });
      request.on('error', reject);
      request.end(body);
    });
  }

  identify(project, form, query = '') { return this.ask('POST', `/v2/identify/${project}${query}`, form); }

  /* Bytes as they are; resolves with all that comes back until the connection is closed, or until `enough` holds of it. */
  raw(bytes, { timeoutMs = 30000, enough = () => false, end = false } = {}) {
    return new Promise((resolve, reject) => {
      const socket = net.connect(this.port, '127.0.0.1');
      let text = '';
      const timer = setTimeout(() => { socket.destroy(); reject(new Error(`no end within ${timeoutMs} ms: ${text}`)); }, timeoutMs);
      const done = () => { clearTimeout(timer); socket.destroy(); resolve(text); };
      socket.on('data', (data) => { text += data.toString('latin1'); if (enough(text)) done(); });
      socket.on('close', done);
      socket.on('error', () => {});
      socket.write(bytes);
      if (end) socket.end();
    });
  }
}

function answer(status, headers, text) {
  let json = null;
  try { json = JSON.parse(text); } catch { /* not JSON: text tells */ }
  return { status, headers, text, json };
}

/* A form as a browser writes it: [[name, value], [name, {filename, type, data}]...] -> {headers, body}. */
function form(parts, boundary = '----LinnetFormBoundary7MA4YWxkTrZu0gW') {
  const pieces = [];
  for (const [name, value] of parts) {
    const file = typeof value === 'object' && !Buffer.isBuffer(value);
    pieces.push(Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"${file ? `; filename="${value.filename ?? 'a.jpg'}"\r\nContent-Type: ${value.type ?? 'image/jpeg'}` : ''}\r\n\r\n`));
    pieces.push(file ? value.data : Buffer.from(value), Buffer.from('\r\n'));
  }
  pieces.push(Buffer.from(`--${boundary}--\r\n`));
  return { headers: { 'content-type': `multipart/form-data; boundary=${boundary}` }, body: Buffer.concat(pieces) };
}

/* Rows of observations.csv with the bytes of their pictures. */
function pictures(samples) {
  const [head, ...rows] = fs.readFileSync(path.join(samples, 'observations.csv'), 'utf8').trim().split('\n').map((line) => line.split(','));
  return rows.map((row) => Object.fromEntries(head.map((name, i) => [name, row[i]]))).map((row) => ({ ...row, file: path.join(samples, row.image), data: fs.readFileSync(path.join(samples, row.image)) }));
}

function curl(...args) {
  const done = spawnSync('curl', ['-s', '-i', ...args], { encoding: 'latin1', maxBuffer: 1 << 26 });
  const heads = done.stdout.split('\r\n\r\n');
  while (/^HTTP\/1.1 100/.test(heads[0])) heads.shift();
  return answer(Number(/^HTTP\/1.1 (\d+)/.exec(heads[0])[1]), {}, heads.slice(1).join('\r\n\r\n'));
}

module.exports = { Server, answer, curl, draw, form, pictures, references };
