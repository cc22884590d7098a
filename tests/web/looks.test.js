'use strict';
/* Every page as people see it: on a phone and on a desktop, light and dark, in both languages; nothing runs out of the window, and
 * axe-core finds nothing to say. The pictures are left in the build's web-shots for eyes. */
const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const { System } = require('./lib');
const { byKind, settled, submit } = require('../e2e/lib');

const AXE = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
let system, pages, documents;

test.before(async () => {
  system = await System.start({ serve: true, config: { groups: { images: { stages: { normalize: {}, convnet: {}, fusion: {} } },
    community: { stages: { consensus: {}, retrain: { config: { new_valid: 3, species: 0, agreement: 0 } } } } } } });
  await submit(system.store, system.samples);
  documents = await settled(system.store, { expect: 40, worker: system.worker });
  system.user('juniper', 'admin');
  const valid = byKind(documents, 'consensus').find((doc) => doc.valid && doc.taxon), { observer } = documents.get(valid._id.replace(':consensus', ':observation'));
  await dangerous(valid.taxon);
  pages = { home: '/', signin: '/signin', account: '/account', observe: '/observe', mine: '/mine', review: '/review', explore: '/explore', map: '/explore?map=1', filters: '/explore?from=2020-01-01&near=48.5,2.5',
    observation: `/o/${valid._id.slice(0, 26)}`, taxon: `/t/${encodeURIComponent(valid.taxon)}`, user: `/u/${observer}`, admin: '/admin', missing: '/nowhere' };
});
test.after(async () => system?.stop());

/* A toxic look-alike, so that the warning is looked at too. */
async function dangerous(id) {
  const where = `/linnet-reference/${encodeURIComponent(id)}`, taxon = await system.store.get(where);
  const other = (await system.store.get('/linnet-reference/_all_docs?startkey="taxon:100001"&limit=1')).rows[0].id;
  await system.store.ask('PUT', where, { ...taxon, lookAlikes: [{ taxon: other, toxic: true }] });
}

/* The page has said all that it has to say. */
async function still(page) {
  await page.locator('main h1, main h2').first().waitFor();
  await page.waitForFunction(() => !document.querySelector('.waiting') && [...document.images].every((image) => image.complete || image.loading === 'lazy'), null, { timeout: 30000 });
  await page.evaluate(() => document.fonts.ready);
  await page.waitForLoadState('networkidle', { timeout: 1000 }).catch(() => {}); // the stream of events keeps it from ever being idle
}

async function axe(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`);
}

const overflow = (page) => page.evaluate(() => [...document.querySelectorAll('body *')]
  .filter((node) => !node.closest('.scroll, .strip, .visually-hidden, .map, .chart, .zoom, .skip') && node.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map((node) => node.outerHTML.slice(0, 100)));

for (const [size, theme] of [['phone', 'light'], ['desktop', 'light'], ['phone', 'dark'], ['desktop', 'dark']]) {
  test(`every_page_is_clean_on_a_${size}_in_${theme}_colours`, async () => {
    const page = await system.signedIn('juniper', { size, theme }), wrong = [];
    for (const [name, where] of Object.entries(pages)) {
      await page.to(where);
      await still(page);
      await system.shot(page, `${name}-${size}-${theme}`);
      wrong.push(...(await overflow(page)).map((html) => `${name} runs out: ${html}`), ...(await axe(page)).map((text) => `${name}: ${text}`));
    }
    await page.context().close();
    assert.deepEqual(wrong, []);
    assert.deepEqual(system.problems, []);
  });
}

test('pages_fit_360_and_1920_pixels_in_french', async () => {
  for (const size of ['small', 'wide']) {
    const page = await system.page({ size, language: 'fr-FR' }), wrong = [];
    for (const [name, where] of Object.entries(pages)) {
      await page.to(where);
      await still(page);
      await system.shot(page, `${name}-${size}-fr`);
      wrong.push(...(await overflow(page)).map((html) => `${name} runs out: ${html}`));
    }
    assert.equal(await page.evaluate(() => document.documentElement.lang), 'fr');
    assert.deepEqual(wrong, []);
    await page.context().close();
  }
});
