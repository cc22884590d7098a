'use strict';
/* The running system with a browser before it: a store with the app in it, a worker, people with accounts, pages. */
const fs = require('fs');
const os = require('os');
const path = require('path');
const { chromium } = require('playwright-core');
const { Store, Worker, build, draw, until } = require('../e2e/lib');
const { Server } = require('../e2e/serve_lib');
const { sameOrigin } = require('./proxy');

const CHROMIUM = process.env.LINNET_CHROMIUM || '/usr/bin/chromium';
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];
const PASSWORD = 'a quiet herbarium';
const shots = process.env.LINNET_SHOTS || path.join(build, 'web-shots');
const sizes = { phone: { width: 390, height: 844 }, small: { width: 360, height: 740 }, desktop: { width: 1366, height: 860 }, wide: { width: 1920, height: 1080 } };

class System {
  /* `options`: observations (samples drawn for pictures and, with `submit`, written), worker (false: none), serve (true, or more of its
   * configuration: `linnet serve` on the same origin as the store), config. */
  static async start(options = {}) {
    const system = new System();
    system.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'linnet-web-'));
    system.samples = draw(options.observations || 40);
    system.store = Store.start();
    const key = path.join(system.folder, 'site.key');
    system.store.setUp(system.samples);
    system.store.must('init', '--quiet', '--open-app', '--site-key', key);
    system.key = key;
    if (options.worker !== false) {
      system.worker = new Worker(system.store, { config: { site: { secret_key_file: key }, ...options.config } }).start();
      await system.worker.ready();
    }
    if (options.serve) {
      system.server = new Server({ store: system.store, config: { signup: { open: true }, ...(options.serve === true ? {} : options.serve) } }).start();
      await system.server.ready();
      system.proxy = await sameOrigin(system.store.url.origin, system.server.url);
    }
    system.browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
    system.contexts = [];
    system.problems = [];
    return system;
  }

  get app() { return `${this.proxy?.url || this.store.url.origin}/${this.store.prefix}/_design/app/index.html`; }

  /* Make an account; returns its uid. */
  user(name, role = 'observer') {
    const file = path.join(this.folder, 'password');
    fs.writeFileSync(file, `${PASSWORD}\n`);
    const uid = JSON.parse(this.store.must('user', 'add', name, '--role', role, '--password-file', file, '--json').out).uid;
    this.names = [...(this.names || []), name];
    return uid;
  }

  /* A page of a browser of its own (cookies, storage), at "#/..."; `options`: size, theme, language, more of Playwright's. */
  async page({ size = 'desktop', theme = 'light', language = 'en', ...more } = {}) {
    const context = await this.browser.newContext({ viewport: sizes[size], colorScheme: theme, locale: language, ...more });
    context.setDefaultTimeout(60000); // the embedded store makes its indexes when they are first read
    const page = await context.newPage();
    this.contexts.push(context);
    /* The browser's own note of a status that the page asked for (no such document yet, no sign-up here) is no error of the page. */
    page.on('console', (message) => { if (message.type() === 'error' && !/^Failed to load resource/.test(message.text())) this.problems.push(message.text()); });
    page.on('pageerror', (error) => this.problems.push(`${error.message}\n${error.stack}`));
    page.to = (where) => page.goto(`${this.app}#${where}`);
    await page.to('/');
    await page.locator('main').waitFor();
    return page;
  }

  async signIn(page, name, password = PASSWORD) {
    await page.to('/signin');
    await page.getByLabel('Name').fill(name);
    await page.getByLabel('Password').fill(password);
    await page.locator('form button.primary').click();
  }

  async signedIn(name, options) {
    const page = await this.page(options);
    await this.signIn(page, name);
    await page.getByRole('heading', { level: 1, name: new RegExp(name) }).waitFor();
    return page;
  }

  pictures(count, from = 0) {
    const folder = fs.readdirSync(this.samples, { recursive: true }).map(String).filter((name) => /\.jpe?g$/.test(name)).sort();
    return folder.slice(from, from + count).map((name) => path.join(this.samples, name));
  }

  async shot(page, name) {
    fs.mkdirSync(shots, { recursive: true });
    await page.screenshot({ path: path.join(shots, `${name}.png`) });
  }

  async stop() {
    for (const context of this.contexts || []) await context.close();
    await this.browser?.close();
    this.proxy?.close();
    await this.server?.stop();
    this.server?.remove?.();
    await this.worker?.stop();
    this.worker?.remove();
    for (const name of this.names || []) await this.forget(name);
    this.store?.stop();
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  /* On somebody's CouchDB our accounts do not stay. */
  async forget(name) {
    if (this.store.ours) return;
    const where = `/_users/org.couchdb.user:${encodeURIComponent(name)}`, account = await this.store.ask('GET', where);
    if (account.json?._rev) await this.store.ask('DELETE', `${where}?rev=${account.json._rev}`);
  }
}

module.exports = { CHROMIUM, FLAGS, PASSWORD, System, sizes, until };
