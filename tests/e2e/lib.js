'use strict';
/* What the end-to-end tests stand on: a store of their own, the linnet program, workers that are killed by pid, sample
 * observations of the synthetic flora, and a comparison of results. Nothing here sleeps to hope: it polls until something
 * holds, with a bound. */
const { spawn, spawnSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');

const root = path.resolve(__dirname, '../..');
const build = process.env.LINNET_BUILD_DIR || path.join(root, 'build');
const program = path.join(build, 'bin/linnet');
const flora = path.join(build, 'bin/linnet-flora');
const modelFolder = path.join(root, 'tests/data/model');

/* A generator of numbers in [0, 1) from a seed (mulberry32), so that a failing round can be played again. */
function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function run(command, args, options = {}) {
  const done = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28, ...options });
  if (done.error) throw done.error;
  return { code: done.status, out: done.stdout, err: done.stderr };
}

function must(command, args, options) {
  const done = run(command, args, options);
  if (done.code !== 0) throw new Error(`${path.basename(command)} ${args.join(' ')}: status ${done.code}\n${done.out}${done.err}`);
  return done;
}

async function until(what, holds, timeoutMs = 60000) {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const value = await holds();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${timeoutMs} ms: ${typeof what === 'function' ? await what() : what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/* ---- the store ---- */

class Store {
  static start() {
    const store = new Store();
    store.apply(must(path.join(__dirname, 'store.sh'), ['start']).out);
    return store;
  }

  apply(exports) {
    this.env = this.env || { ...process.env };
    for (const [, name, value] of exports.matchAll(/^export (\w+)=(.*)$/gm)) this.env[name] = value.replace(/^'(.*)'$/, '$1').replace(/\\(.)/g, '$1');
    this.url = new URL(this.env.LINNET_COUCHDB_URL);
    this.prefix = this.env.LINNET_PREFIX;
    this.ours = Boolean(this.env.LINNET_STORE_PID);
  }

  kill() { must(path.join(__dirname, 'store.sh'), ['kill'], { env: this.env }); }
  restart() { this.apply(must(path.join(__dirname, 'store.sh'), ['restart'], { env: this.env }).out); }
  stop() { run(path.join(__dirname, 'store.sh'), ['stop'], { env: this.env }); }

  /* fetch below the server's root; the path's databases are written with the prefix "linnet". */
  async ask(method, where, body) {
    const url = new URL(where.replace(/^\/linnet/, `/${this.prefix}`), this.url.origin);
    const headers = { authorization: `Basic ${Buffer.from(`${decodeURIComponent(this.url.username)}:${decodeURIComponent(this.url.password)}`).toString('base64')}` };
    if (body !== undefined && !(body instanceof Buffer)) headers['content-type'] = 'application/json';
    const response = await fetch(url, { method, headers, body: body === undefined || body instanceof Buffer ? body : JSON.stringify(body) });
    const text = await response.text();
    let json = null;
    try { json = JSON.parse(text); } catch { /* not JSON: text tells */ }
    return { status: response.status, json, text };
  }

  async get(where) {
    const answer = await this.ask('GET', where);
    if (answer.status !== 200) throw new Error(`GET ${where}: ${answer.status} ${answer.text}`);
    return answer.json;
  }

  /* Every document of a database, by id, with bodies (design documents left out). */
  async documents(database = 'linnet') {
    const rows = (await this.get(`/${database}/_all_docs?include_docs=true&conflicts=true`)).rows;
    return new Map(rows.filter((row) => !row.id.startsWith('_design/')).map((row) => [row.id, row.doc]));
  }

  linnet(...args) { return run(program, args, { env: this.env }); }
  must(...args) { return must(program, args, { env: this.env }); }

  /* init, backbone, model. `samples` as made by draw(). */
  setUp(samples) {
    this.must('init', '--quiet');
    this.must('reference', 'load', '--quiet', path.join(samples, 'backbone/taxa.jsonl'), path.join(samples, 'backbone/floras.jsonl'));
    this.must('model', 'publish', path.join(modelFolder, 'flora-inception.onnx'), '--labels', path.join(modelFolder, 'labels.csv'),
      '--description', path.join(modelFolder, 'model.json'), '--activate');
  }
}

/* ---- workers ---- */

function freePort() {
  const ask = "const s=require('net').createServer();s.listen(0,'127.0.0.1',()=>{console.log(s.address().port);s.close()})";
  return Number(must(process.execPath, ['-e', ask]).out);
}

class Worker {
  /* `options`: groups, term_ms, config (object merged into the configuration file). */
  constructor(store, options = {}) {
    this.store = store;
    this.folder = options.folder || fs.mkdtempSync(path.join(os.tmpdir(), 'linnet-worker-'));
    this.ownFolder = !options.folder;
    this.config = path.join(this.folder, 'worker.json');
    this.log = path.join(this.folder, 'worker.log');
    this.options = options;
    this.port = freePort();
    this.configure(options.config);
  }

  /* Write the configuration; a running worker takes it at SIGHUP. */
  configure(config) {
    fs.writeFileSync(this.config, JSON.stringify({ state_dir: path.join(this.folder, 'state'), cache_dir: path.join(this.folder, 'cache'), monitor: { listen: `127.0.0.1:${this.port}` }, ...config }));
  }

  async ready(timeoutMs = 60000) {
    return until(() => `the worker is ready\n${this.tail()}`, async () => {
      try { return (await fetch(`http://127.0.0.1:${this.port}/readyz`)).status === 200; } catch { return false; }
    }, timeoutMs);
  }

  /* Samples of /metrics: {"name{labels}": value}. */
  async metrics() {
    const text = await (await fetch(`http://127.0.0.1:${this.port}/metrics`)).text();
    return new Map([...text.matchAll(/^([a-z]\S*(?:\{[^}]*\})?) (\S+)$/gm)].map(([, name, value]) => [name, Number(value)]));
  }

  /* Items that a stage has worked on since this child started. */
  async processed(stage) {
    const metrics = await this.metrics();
    let sum = 0;
    for (const [name, value] of metrics) if (name.startsWith('linnet_stage_processed_total{') && name.includes(`stage="${stage}"`)) sum += value;
    return sum;
  }

  start() {
    const log = fs.openSync(this.log, 'a');
    const args = ['worker', '--config', this.config];
    if (this.options.groups) args.push('--group', this.options.groups);
    args.push(...(this.options.args || []));
    this.process = spawn(program, args, { env: { ...this.store.env, ...this.options.env }, stdio: ['ignore', log, log] });
    fs.closeSync(log);
    this.ended = new Promise((resolve) => this.process.on('exit', (code, signal) => resolve({ code, signal })));
    return this;
  }

  get pid() { return this.process.pid; }

  /* The supervisor's child, which runs the plugins; 0 while there is none. */
  get childPid() {
    try { return Number(fs.readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8').trim().split(' ')[0]) || 0; } catch { return 0; }
  }

  signal(name) { try { process.kill(this.pid, name); } catch { /* it has gone */ } }
  signalChild(name) { const pid = this.childPid; if (pid) try { process.kill(pid, name); } catch { /* it has gone */ } return pid; }

  /* SIGTERM, and wait until it has drained. */
  async stop() {
    if (this.process && this.process.exitCode === null && this.process.signalCode === null) {
      this.signal('SIGCONT');
      this.signal('SIGTERM');
      const timer = setTimeout(() => this.signal('SIGKILL'), 60000);
      this.exit = await this.ended;
      clearTimeout(timer);
    }
    return this.exit;
  }

  async kill() {
    this.signal('SIGKILL');
    this.exit = await this.ended;
  }

  tail(lines = 20) { return fs.existsSync(this.log) ? fs.readFileSync(this.log, 'utf8').trim().split('\n').slice(-lines).join('\n') : ''; }
  lines() { return fs.existsSync(this.log) ? fs.readFileSync(this.log, 'utf8').trim().split('\n').filter((line) => line.startsWith('{')).map((line) => { try { return JSON.parse(line); } catch { return {}; } }) : []; }
  remove() { if (this.ownFolder) fs.rmSync(this.folder, { recursive: true, force: true }); }
}

/* ---- samples ---- */

/* A folder that is filled once, by fill(folder). Tests that run beside each other may want the same: each fills one of its own, and
 * the first that is whole stays. */
function once(folder, fill) {
  if (fs.existsSync(folder)) return folder;
  const own = `${folder}.${process.pid}`;
  fill(own);
  try { fs.renameSync(own, folder); } catch (error) {
    if (!fs.existsSync(folder)) throw error;
    fs.rmSync(own, { recursive: true, force: true });
  }
  return folder;
}

/* Draw `count` observations with their backbone and a crowd's votes, once for each set of arguments; returns the folder. */
function draw(count, seed = 2026, extra = []) {
  return once(path.join(build, 'samples', [count, seed, ...extra].join('_').replace(/[^\w]+/g, '_')), (folder) => {
    must(flora, ['backbone', '--out', path.join(folder, 'backbone')]);
    must(flora, ['observations', '--labels', path.join(modelFolder, 'labels.csv'), '--seed', String(seed), '--split', 'test', '--size', '240', '--count', String(count), ...extra, '--out', folder]);
    must(flora, ['votes', '--seed', String(seed), '--observations', path.join(folder, 'observations.csv'), '--out', path.join(folder, 'votes.csv')]);
  });
}

/* Submit samples in the background; resolves when all is written. Breaks of the store are tried again. */
async function submit(store, samples, { votes = true, patient = false } = {}) {
  const args = ['submit', '--no-wait', '--quiet', '--csv', path.join(samples, 'observations.csv')];
  if (votes) args.push('--votes', path.join(samples, 'votes.csv'));
  for (let attempt = 1; ; attempt++) {
    const done = await new Promise((resolve) => {
      const child = spawn(program, args, { env: store.env, stdio: ['ignore', 'ignore', 'pipe'] });
      let err = '';
      child.stderr.on('data', (data) => { err += data; });
      child.on('exit', (code) => resolve({ code, err }));
    });
    if (done.code === 0) return;
    if (!patient || attempt > 100) throw new Error(`submit: ${done.err}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/* ---- results ---- */

const byKind = (documents, kind) => [...documents.values()].filter((doc) => doc.kind === kind);

/* What is still missing of an answer to everything: [] when each view is normalized and predicted, each observation identified from all
 * its views and given a consensus that knows every vote; dead letters count as answers of their documents. */
function missing(documents, letters = new Map()) {
  const lacks = [], dead = new Set([...letters.values()].map((letter) => letter.id));
  for (const observation of byKind(documents, 'observation')) {
    const obs = observation._id.slice(0, 26);
    let usable = 0;
    for (const view of observation.views) {
      if (dead.has(`${obs}:image:${view.image}`) || dead.has(`${obs}:normalized:${view.image}`)) continue;
      usable++;
      if (!documents.has(`${obs}:normalized:${view.image}`)) lacks.push(`${obs}:normalized:${view.image}`);
      if (![...documents.keys()].some((id) => id.startsWith(`${obs}:prediction:${view.image}:`))) lacks.push(`${obs}:prediction:${view.image}`);
    }
    const identification = documents.get(`${obs}:identification`);
    if (usable && (!identification || identification.views.used < usable)) lacks.push(`${obs}:identification`);
    if (!documents.has(`${obs}:consensus`)) lacks.push(`${obs}:consensus`);
  }
  for (const validation of byKind(documents, 'validation')) {
    const consensus = documents.get(`${validation._id.slice(0, 26)}:consensus`);
    if (consensus && !consensus.inputs.some((input) => input.id === validation._id)) lacks.push(`${validation._id} in the consensus`);
  }
  return lacks;
}

/* Wait until nothing is missing and nothing changes any more for `quietMs`; returns the documents. */
async function settled(store, { timeoutMs = 180000, quietMs = 6000, expect = 0, worker = null } = {}) {
  let lacks = [], last = null, since = Date.now(), documents = null, count = 0;
  return until(
    () => `${count} observations, ${lacks.length} missing: ${lacks.slice(0, 5).join(' ')}\n${worker ? worker.tail() : ''}`,
    async () => {
      let info;
      try { info = await store.get('/linnet'); } catch { return null; }
      if (last !== info.update_seq) { last = info.update_seq; since = Date.now(); return null; }
      if (Date.now() - since < quietMs) return null;
      documents = await store.documents();
      count = byKind(documents, 'observation').length;
      lacks = missing(documents, await store.documents('linnet-ops').then((all) => new Map([...all].filter(([id]) => id.startsWith('deadletter:')))));
      return lacks.length === 0 && count >= expect ? documents : null;
    },
    timeoutMs,
  );
}

const RESULTS = new Set(['normalized', 'prediction', 'identification', 'consensus']);

/* A result as two runs must agree on it: no revision, no device, no lease's generation, attachments by content. */
function comparable(document) {
  const copy = JSON.parse(JSON.stringify(document));
  delete copy._rev;
  delete copy.generation;
  if (copy.stage) delete copy.stage.device;
  if (copy.embedding) delete copy.embedding.data; /* compared by the scores that come of it */
  for (const stub of Object.values(copy._attachments || {})) { delete stub.revpos; delete stub.stub; delete stub.data; }
  return copy;
}

/* Differences of two values, numbers within `tolerance`; scores that tie within it may stand in another order. */
function differences(a, b, tolerance = 1e-5, where = '') {
  if (typeof a === 'number' && typeof b === 'number') return Math.abs(a - b) <= tolerance ? [] : [`${where}: ${a} and ${b}`];
  if (Array.isArray(a) && Array.isArray(b)) {
    if ([...a, ...b].length && [...a, ...b].every((entry) => entry && typeof entry === 'object' && 'score' in entry && 'taxon' in entry)) return ranks(a, b, tolerance, where);
    if (a.length !== b.length) return [`${where}: ${a.length} and ${b.length} members`];
    return a.flatMap((value, i) => differences(value, b[i], tolerance, `${where}[${i}]`));
  }
  if (a && b && typeof a === 'object' && typeof b === 'object') {
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((key) => differences(a[key], b[key], tolerance, `${where}.${key}`));
  }
  return a === b ? [] : [`${where}: ${JSON.stringify(a)} and ${JSON.stringify(b)}`];
}

/* A candidate with what each view says of it; a view whose list has ended before it says 0. */
function filled(entry, other) {
  if (!entry.views && !other.views) return entry;
  const nothing = Object.fromEntries(Object.keys(other.views || {}).map((image) => [image, 0]));
  return { ...entry, views: { ...nothing, ...entry.views } };
}

/* Lists end where scores come to nothing: what one has beyond the other's end is compared with a score of 0. */
function ranks(a, b, tolerance, where) {
  const end = { taxon: 'nothing', score: 0 };
  return Array.from({ length: Math.max(a.length, b.length) }, (_, i) => [a[i] || end, b[i] || end]).flatMap(([x, y], i) => {
    if (x.taxon === y.taxon) return differences(filled(x, y), filled(y, x), tolerance, `${where}[${i}]`);
    return Math.abs(x.score - y.score) <= tolerance ? [] : [`${where}[${i}]: ${x.taxon} (${x.score}) and ${y.taxon} (${y.score})`];
  });
}

/* Results of two runs: what is in one only, what differs, and what has a conflict. */
function compare(first, second) {
  const wrong = [];
  const results = (documents) => new Map([...documents].filter(([, doc]) => RESULTS.has(doc.kind)));
  const a = results(first), b = results(second);
  for (const id of a.keys()) if (!b.has(id)) wrong.push(`only in the first: ${id}`);
  for (const id of b.keys()) if (!a.has(id)) wrong.push(`only in the second: ${id}`);
  for (const [id, doc] of b) {
    if (doc._conflicts) wrong.push(`${id} has conflicts`);
    if (a.has(id)) wrong.push(...differences(comparable(a.get(id)), comparable(doc), 1e-5, id));
  }
  return wrong;
}

module.exports = { freePort, Store, Worker, RESULTS, byKind, build, compare, comparable, differences, draw, flora, missing, modelFolder, must, once, program, random, root, run, settled, submit, until };
