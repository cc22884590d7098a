'use strict';
/* What a site puts before its visitors: the ai-taxonomist web component of another site's page pointed at this server, and the web app
 * as `linnet serve` itself hands it out. */
const test = require('node:test');
const assert = require('node:assert');
const fs = require('fs');
const http = require('http');
const path = require('path');
const { chromium } = require('playwright-core');
const { Server, draw, pictures, references } = require('../e2e/serve_lib');
const { CHROMIUM, FLAGS, PASSWORD, System } = require('./lib');

const MODULES = path.join(__dirname, 'node_modules');
const IMPORTS = { 'ai-taxonomist': 'ai-taxonomist/dist/src/index.js', lit: 'lit/index.js', 'lit/': 'lit/', 'lit-html': 'lit-html/lit-html.js', 'lit-html/': 'lit-html/',
  'lit-element/lit-element.js': 'lit-element/lit-element.js', 'lit-element': 'lit-element/index.js', '@lit/reactive-element': '@lit/reactive-element/reactive-element.js',
  '@lit/reactive-element/': '@lit/reactive-element/', tslib: 'tslib/tslib.es6.js', 'file-drop-element': 'file-drop-element/dist/filedrop.mjs' };

/* Somebody's page with the component in it, on an origin of its own. */
function foreignPage(api) {
  const imports = Object.fromEntries(Object.entries(IMPORTS).map(([name, file]) => [name, `/${file}`]));
  const page = `<!doctype html><meta charset="utf-8"><script type="importmap">${JSON.stringify({ imports })}</script>
    <script type="module">import 'ai-taxonomist';</script><ai-taxonomist apiUrl="${api}/v2/identify/all"></ai-taxonomist>`;
  const server = http.createServer((request, response) => {
    if (request.url === '/') return response.writeHead(200, { 'content-type': 'text/html' }).end(page);
    const file = path.join(MODULES, path.normalize(new URL(request.url, 'http://x').pathname));
    if (!file.startsWith(MODULES) || !fs.existsSync(file)) return response.writeHead(404).end();
    return response.writeHead(200, { 'content-type': 'text/javascript' }).end(fs.readFileSync(file));
  });
  return new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve({ url: `http://127.0.0.1:${server.address().port}/`, close() { server.close(); server.closeAllConnections(); } })); });
}

/* Let go of a file above an element, as somebody does who drags it there. */
const drop = (element, file) => element.evaluate((target, { name, bytes }) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name, { type: 'image/jpeg' }));
  for (const type of ['dragenter', 'dragover', 'drop']) target.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true, composed: true }));
}, { name: path.basename(file), bytes: fs.readFileSync(file).toString('base64') });

test('ai_taxonomist_shows_the_species_of_a_picture_that_is_dropped_on_it', async () => {
  const samples = draw(6, 5), picture = pictures(samples)[0];
  const server = new Server({ references: references(samples) }).start();
  await server.ready();
  const site = await foreignPage(server.url), browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  try {
    const page = await browser.newPage({ locale: 'en-GB' }), problems = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => { if (message.type() === 'error') problems.push(`${message.text()} ${message.location().url}`); });
    await page.goto(site.url);
    await page.locator('file-drop').waitFor({ state: 'attached' });
    await drop(page.locator('file-drop'), picture.file);
    const first = page.locator('ai-taxonomist .speciesName').first();
    await first.waitFor();
    const shown = await page.locator('ai-taxonomist .speciesName').allTextContents(), family = await page.locator('ai-taxonomist .familyName').first().textContent();
    const form = new FormData();
    form.append('organs', 'auto');
    form.append('images', new Blob([picture.data], { type: 'image/jpeg' }), 'a.jpg');
    const { results } = await (await fetch(`${server.url}/v2/identify/all`, { method: 'POST', body: form })).json();
    assert.ok(shown[0].includes(results[0].species.scientificNameWithoutAuthor), `${shown[0]} / ${results[0].species.scientificName}`);
    assert.equal(shown.length, Math.min(8, results.length));
    assert.match(family, /aceae/);
    assert.deepEqual(problems.filter((text) => !text.includes('favicon')), []);
  } finally {
    await browser.close();
    site.close();
    await server.stop();
  }
});

test('linnet_serve_hands_out_the_app_that_init_pushes', async () => {
  const system = await System.start({ observations: 3, worker: false, serve: true });
  try {
    const { server } = system, at = `${system.proxy.url}/app`;
    const moved = await server.ask('GET', '/app');
    assert.equal(moved.status, 308);
    assert.equal(moved.headers.location, 'app/');
    const page = await server.ask('GET', '/app/');
    assert.equal(page.status, 200);
    assert.match(page.headers['content-type'], /^text\/html/);
    assert.match(page.headers['content-security-policy'], /default-src 'none'; script-src 'self'/);
    assert.equal(page.headers['cache-control'], 'no-cache');
    const pushed = await system.store.ask('GET', `/${system.store.prefix}/_design/app/index.html`);
    assert.equal(page.text, pushed.text);
    const [, script] = /src="\.\/(assets\/[^"]+\.js)"/.exec(page.text);
    const asset = await server.ask('GET', `/app/${script}`);
    assert.equal(asset.status, 200);
    assert.match(asset.headers['content-type'], /^text\/javascript/);
    assert.equal(asset.headers['cache-control'], 'public, max-age=31536000, immutable');
    assert.equal((await server.ask('GET', `/app/${script}`, { headers: { 'if-none-match': `"other", ${asset.headers.etag}` } })).status, 304);
    const encoded = await fetch(`${server.url}/app/${script}`, { headers: { 'accept-encoding': 'br, gzip;q=0.5' } });
    assert.equal(encoded.headers.get('content-encoding'), 'gzip');
    assert.equal(await encoded.text(), asset.text); // fetch takes it apart
    assert.ok(Number(encoded.headers.get('content-length')) < asset.text.length * 0.7);
    assert.notEqual(encoded.headers.get('etag'), asset.headers.etag);
    for (const plain of ['identity', 'gzip;q=0, br', 'x-gzip']) {
      const answer = await server.ask('GET', `/app/${script}`, { headers: { 'accept-encoding': plain } });
      assert.equal(answer.headers['content-encoding'], undefined, plain);
      assert.equal(answer.headers.vary, 'Accept-Encoding');
    }
    assert.equal((await server.ask('HEAD', '/app/sw.js')).status, 200);
    const config = await server.ask('GET', '/app/config.json');
    assert.deepEqual(config.json, { root: '/', database: system.store.prefix, api: '/v2' });
    for (const target of ['/app/../etc/passwd', '/app/..', '/app/assets/..%2f..%2fetc%2fpasswd', '/app/%2e%2e/%2e%2e/etc/passwd', '/app/assets/', '/app/.', '/app/a/b/c', '/app/assets%00.js', `/app/${'x'.repeat(4000)}`]) {
      const answer = await server.raw(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`); /* as it is: clients tidy paths up */
      assert.match(answer, /^HTTP\/1\.1 40[04] /, target);
      assert.ok(!answer.includes('root:'), target);
    }

    const context = await system.browser.newContext(), app = await context.newPage();
    system.contexts.push(context);
    app.on('pageerror', (error) => system.problems.push(error.message));
    app.on('console', (message) => { if (/Content.Security.Policy|Refused/i.test(message.text())) system.problems.push(message.text()); });
    await app.goto(at);
    assert.equal(new URL(app.url()).pathname, '/app/');
    await app.locator('main').waitFor();
    const uid = system.user('erin');
    await app.goto(`${at}/#/signin`);
    await app.getByLabel('Name').fill('erin');
    await app.getByLabel('Password').fill(PASSWORD);
    await app.locator('form button.primary').click();
    await app.getByRole('heading', { level: 1, name: /erin/ }).waitFor();
    assert.ok(uid);
    assert.deepEqual(system.problems, []);
  } finally { await system.stop(); }
});
