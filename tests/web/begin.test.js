'use strict';
/* What a page asks for before the app is there: each answer is taken up, and nothing is asked for twice. */
const test = require('node:test');
const assert = require('node:assert');
const { System, until } = require('./lib');
const { put } = require('./people');

let system, obs, state;

test.before(async () => {
  system = await System.start({ observations: 6, serve: true });
  const fern = system.user('fern'), moss = system.user('moss', 'reviewer');
  system.user('ivy', 'reviewer');
  obs = await put(system, fern, system.pictures(1)[0]);
  await until('it is identified', async () => (await system.store.documents()).has(`${obs}:identification`));
  const { best } = (await system.store.documents()).get(`${obs}:identification`);
  await system.store.ask('PUT', `/linnet/${obs}:validation:${moss}`, { kind: 'validation', user: moss, created_at: '2026-05-03T10:25:30Z', vote: 'taxon', taxon: best.taxon });
  await until('it waits for reviewers', async () => (await system.store.documents()).get(`${obs}:consensus`)?.grade === 'needs_review');
  const page = await system.signedIn('ivy');
  state = await page.context().storageState();
  await page.context().close();
});
test.after(async () => system?.stop());

/* What a new page at `where` asks the store for until `there` is drawn; and what nobody took up. */
async function asked(where, there) {
  const context = await system.browser.newContext({ storageState: state, serviceWorkers: 'block' }), page = await context.newPage(), paths = [];
  system.contexts.push(context);
  for (const news of ['**/v2/events?**', '**/_changes?**']) await page.route(news, (route) => route.abort()); // what tells a page to read again
  page.on('pageerror', (error) => system.problems.push(error.message));
  page.on('request', (request) => { if (request.method() === 'GET') paths.push(decodeURIComponent(new URL(request.url()).pathname + new URL(request.url()).search)); });
  await page.goto(where);
  await page.locator(there).first().waitFor();
  const left = await page.evaluate(() => [...globalThis.linnetBegun.keys()]);
  return { paths, left };
}

const times = (paths, pattern) => paths.filter((path) => pattern.test(path)).length;

for (const [where, at] of [['below_its_design_document', () => system.app], ['as_linnet_serve_hands_it_out', () => `${system.proxy.url}/app/`]]) {
  test(`the_queue_and_the_first_card_are_asked_for_ahead_and_once_${where}`, async () => {
    const { paths, left } = await asked(`${at()}#/review`, `.desk[data-obs="${obs}"] .suggestion`);
    assert.deepEqual(left, []);
    const documents = new RegExp(`^/${system.store.prefix}/(_partition/${obs}/_all_docs|_all_docs\\?startkey="${obs}:")`), info = new RegExp(`^/${system.store.prefix}/?$`);
    for (const pattern of [/_view\/needs_review\?/, documents, info, /\/assets\/review-[^/]*\.js$/]) assert.equal(times(paths, pattern), 1, `${pattern} of ${paths.join('\n')}`);
    const first = (pattern) => paths.findIndex((path) => pattern.test(path));
    assert.ok(first(/_view\/needs_review\?/) < first(/_session$/), 'the queue is asked for before the app says its first word');
  });

  test(`an_observation_is_asked_for_ahead_and_once_${where}`, async () => {
    const { paths, left } = await asked(`${at()}#/o/${obs}`, '.page.observation .suggestion');
    assert.deepEqual(left, []);
    assert.equal(times(paths, new RegExp(`(_partition/${obs}/_all_docs|_all_docs\\?startkey="${obs}:")`)), 1, paths.join('\n'));
  });
}

test('who_is_not_signed_in_asks_for_no_queue', async () => {
  const page = await system.page(), paths = [];
  page.on('request', (request) => paths.push(request.url()));
  await page.to('/review');
  await page.reload();
  await page.getByRole('heading', { level: 1 }).waitFor();
  assert.equal(times(paths, /needs_review/), 0);
  assert.deepEqual(system.problems, []);
});

test('a_page_is_drawn_whenever_its_code_comes', async () => {
  const page = await system.signedIn('ivy');
  await page.evaluate(async () => { await navigator.serviceWorker.ready; }); // its files come at once from now on, before or after the first drawing
  await page.to('/mine');
  for (let turn = 0; turn < 20; turn++) {
    await page.reload();
    await page.locator('main h1').waitFor();
  }
  assert.deepEqual(system.problems, []);
});
