'use strict';
/* _changes: read from PouchDB page by page, so that a long backlog never sits in memory, a slow reader slows nobody but
 * itself, and a feed that is closed leaves nothing behind. */
const { sendJSON, sendError, handler } = require('./reply');

const PAGE = 200;
const TIMEOUT_MS = 60000; // CouchDB's default for a feed without heartbeat
const HEARTBEAT_LEAST_MS = 100;

/* Wakes the feeds of one database at each change of it. */
class Waker {
  constructor(db) {
    this.db = db;
    this.waiting = new Set();
    this.turns = 0;
    this.ready = db.info().then((info) => {
      this.live = db.changes({ live: true, since: info.update_seq, return_docs: false });
      this.live.on('change', () => this.wake());
      this.live.on('error', () => {});
      db.once('destroyed', () => this.stop());
    });
  }

  wake() {
    this.turns++;
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }

  stop() {
    if (this.live) this.live.cancel();
    this.wake();
  }
}

class Feeds {
  constructor() {
    this.open = new Set();
    this.wakers = new Map(); // db -> Waker
    this.ended = false;
  }

  waker(db) {
    if (!this.wakers.has(db)) {
      db.setMaxListeners(0);
      const waker = new Waker(db);
      this.wakers.set(db, waker);
      db.once('destroyed', () => this.wakers.delete(db));
    }
    return this.wakers.get(db);
  }

  /* End every feed with its last line. */
  end() {
    this.ended = true;
    for (const feed of this.open) feed.stop();
  }

  close() {
    this.end();
    for (const waker of this.wakers.values()) waker.stop();
    this.wakers.clear();
  }
}

class Feed {
  constructor(feeds, req, res, options) {
    Object.assign(this, { feeds, req, res, options, db: req.db, since: options.since, left: options.limit });
    this.stopped = false;
    this.signals = new Set();
    res.on('close', () => this.stop());
    req.db.once('destroyed', (this.onDestroyed = () => this.stop()));
    feeds.open.add(this);
  }

  stop() {
    this.stopped = true;
    for (const resolve of this.signals) resolve();
    this.signals.clear();
  }

  async run() {
    try {
      const waker = this.options.feed === 'normal' ? null : this.feeds.waker(this.db);
      if (waker) await waker.ready;
      this.begin();
      await this.follow(waker);
      this.finish();
    } finally {
      clearInterval(this.beat);
      this.feeds.open.delete(this);
      this.db.removeListener('destroyed', this.onDestroyed);
    }
  }

  begin() {
    this.res.status(200);
    this.res.setHeader('Content-Type', 'application/json');
    this.res.setHeader('Cache-Control', 'must-revalidate');
    this.res.flushHeaders();
    if (this.options.feed !== 'continuous') this.res.write('{"results":[\n');
    if (this.options.feed !== 'normal' && this.options.heartbeat) {
      this.beat = setInterval(() => this.stopped || this.res.write('\n'), this.options.heartbeat);
    }
  }

  async follow(waker) {
    while (!this.stopped) {
      const turns = waker ? waker.turns : 0;
      const results = await this.page();
      await this.write(results);
      if (this.left === 0) return;
      if (results.length) continue;
      if (this.options.feed === 'normal' || (this.options.feed === 'longpoll' && this.wrote)) return;
      if (waker.turns !== turns) continue; /* something came while the page was read, perhaps too late for it */
      if (!(await this.wait(waker))) return;
    }
  }

  async page() {
    const limit = Math.min(PAGE, this.left);
    const { results, last_seq } = await this.db.changes({ ...this.options.query, since: this.since, limit, return_docs: true });
    if (!results) return []; // cancelled: the database went away
    this.since = last_seq;
    for (const change of results) if (change.changes.length > 1) await winnerFirst(this.db, change);
    return results;
  }

  /* A page at once: each write of its own would wake the reader. */
  async write(results) {
    if (this.stopped || !results.length) return;
    const texts = results.map((change) => JSON.stringify(change));
    const text = this.options.feed === 'continuous' ? `${texts.join('\n')}\n` : `${this.wrote ? ',\n' : ''}${texts.join(',\n')}`;
    this.wrote = true;
    this.left -= results.length;
    if (this.res.write(text)) return;
    await new Promise((resolve) => {
      this.signals.add(resolve);
      this.res.once('drain', resolve);
    });
  }

  /* False once the feed's time is up. A wake-up may have been lost with a cancelled listener: look again at times. */
  async wait(waker) {
    const { heartbeat, timeout } = this.options;
    return new Promise((resolve) => {
      const timer = setTimeout(() => done(Boolean(heartbeat)), heartbeat || timeout);
      const woken = () => done(true);
      const done = (more) => {
        clearTimeout(timer);
        waker.waiting.delete(woken);
        this.signals.delete(woken);
        resolve(more);
      };
      waker.waiting.add(woken);
      this.signals.add(woken);
      if (this.stopped) woken();
    });
  }

  /* One that was stopped in the middle says nothing of an end: what came of its last page has not all been written. */
  finish() {
    if (this.res.destroyed) return;
    if (this.stopped && this.options.feed !== 'continuous') return this.res.destroy();
    if (this.stopped) return this.res.end();
    if (this.options.feed === 'continuous') this.res.end(`${JSON.stringify({ last_seq: this.since, pending: 0 })}\n`);
    else this.res.end(`\n],\n"last_seq":${JSON.stringify(this.since)},"pending":0}\n`);
  }
}

/* The leaves as CouchDB lists them: the winner, then the others, highest first. */
async function winnerFirst(db, change) {
  const winner = change.doc ? change.doc._rev : await db.get(change.id).then((doc) => doc._rev, () => '');
  const generation = ({ rev }) => Number.parseInt(rev, 10);
  change.changes.sort((a, b) => (b.rev === winner) - (a.rev === winner) || generation(b) - generation(a) || (a.rev < b.rev ? 1 : -1));
}

const bad = (reason) => ({ status: 400, name: 'query_parse_error', reason });

function whole(value, name, fallback) {
  if (value === undefined) return fallback;
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0) throw bad(`${name} must be a non-negative integer`);
  return number;
}

async function sinceOf(value, db) {
  if (value === 'now') return (await db.info()).update_seq;
  return value === '' || value === undefined ? 0 : whole(value, 'since', 0);
}

/* The query of a request as PouchDB takes it, and what is ours to do. */
async function optionsOf(req) {
  const given = { ...req.query, ...(Array.isArray(req.body && req.body.doc_ids) ? { doc_ids: req.body.doc_ids } : {}) };
  const query = { style: given.style === 'all_docs' ? 'all_docs' : 'main_only' };
  for (const flag of ['include_docs', 'conflicts', 'attachments']) if (given[flag] === true) query[flag] = true;
  if (given.filter === '_doc_ids') query.doc_ids = Array.isArray(given.doc_ids) ? given.doc_ids : [];
  else if (given.filter !== undefined) Object.assign(query, { filter: String(given.filter), query_params: { ...req.query } });
  if (given.filter === '_view') query.view = String(given.view);
  const feed = given.feed === undefined ? 'normal' : String(given.feed);
  if (!['normal', 'longpoll', 'continuous'].includes(feed)) throw { status: 501, name: 'not_implemented', reason: `feed=${feed} is not served by the embedded store` };
  const beats = given.heartbeat === true ? TIMEOUT_MS : whole(given.heartbeat === false ? undefined : given.heartbeat, 'heartbeat', 0);
  return {
    feed,
    query,
    since: await sinceOf(given.since, req.db),
    limit: Math.max(whole(given.limit, 'limit', Infinity), 1),
    heartbeat: beats && Math.max(beats, HEARTBEAT_LEAST_MS),
    timeout: Math.min(whole(given.timeout, 'timeout', TIMEOUT_MS), TIMEOUT_MS),
  };
}

/* The newest first: there is no following that, one page is the answer. */
async function newestFirst(req, res, options) {
  const limit = Number.isFinite(options.limit) ? { limit: options.limit } : {};
  const { results, last_seq } = await req.db.changes({ ...options.query, descending: true, return_docs: true, ...limit });
  sendJSON(res, 200, { results, last_seq, pending: 0 });
}

function changes(feeds) {
  return handler(async (req, res) => {
    const options = await optionsOf(req);
    if (req.query.descending === true) {
      if (options.feed !== 'normal') return sendError(res, 400, 'bad_request', 'descending goes with feed=normal only');
      return newestFirst(req, res, options);
    }
    if (feeds.ended) return sendError(res, 503, 'stopping', 'the store is stopping');
    return new Feed(feeds, req, res, options).run();
  });
}

module.exports = { Feeds, changes };
