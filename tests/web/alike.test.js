'use strict';
/* With `linnet serve` beside the store: pictures that look like an observation's, pictures sent twice, names beyond the flora; and the
 * queues of a reviewer who looks for something. */
const test = require('node:test');
const assert = require('node:assert');
const { System, until } = require('./lib');
const { observe, put } = require('./people');

let system, uids, valid, twin, open;

const document = (id) => system.store.get(`/linnet/${encodeURIComponent(id)}`);

/* Consensus as a community would have found it. */
async function settle(obs, change) {
  const answer = await system.store.ask('PUT', `/linnet/${obs}:consensus`, { ...(await document(`${obs}:consensus`)), ...change });
  assert.equal(answer.status, 201, answer.text);
}

const indexed = (count) => until(`${count} pictures are known`, async () => Number(/^linnet_similar_pictures(?:\{\})? (\d+)/m.exec((await system.server.ask('GET', '/metrics')).text)?.[1]) === count);
const shown = (page, obs) => page.locator(`.desk[data-obs="${obs}"]`).waitFor();

test.before(async () => {
  system = await System.start({ serve: true });
  uids = { fern: system.user('fern'), ivy: system.user('ivy') };
  system.user('moss', 'reviewer');
  const [one, other] = system.pictures(2);
  [valid, twin, open] = [await put(system, uids.fern, one), await put(system, uids.ivy, one), await put(system, uids.fern, other)];
  await until('all have an answer', async () => { const all = await system.store.documents(); return [valid, twin, open].every((obs) => all.has(`${obs}:identification`) && all.has(`${obs}:consensus`)); });
  await system.worker.stop(); // what stands now is the test's
  const best = (await document(`${valid}:identification`)).species[0].taxon;
  await settle(valid, { valid: true, grade: 'research', taxon: best, not_a_plant: false });
  await settle(twin, { valid: false, grade: 'needs_review', taxon: null });
  await settle(open, { valid: false, grade: 'needs_review', taxon: (await document(`${open}:identification`)).species[0].taxon, confidence: 1.6, accuracy: 0.9, missing: 0.4 });
  await indexed(1);
});
test.after(async () => system?.stop());

test('validated_pictures_stand_beside_the_candidate_and_a_twin_is_named', async () => {
  const page = await system.signedIn('moss');
  await page.to(`/o/${twin}`);
  const beside = page.locator('.suggestions li').first().locator('.beside-it img');
  await beside.first().waitFor();
  await until('it is drawn', () => beside.first().evaluate((image) => image.naturalWidth > 0));
  assert.equal(await page.locator('.beside-it a').first().getAttribute('href'), `#/o/${valid}`);
  await page.locator('.similar .notice').getByText('Nearly the same picture').waitFor();
  assert.equal(await page.locator('.similar .notice a').first().getAttribute('href'), `#/o/${valid}`);
  assert.equal(await page.locator('.similar li').count(), 1); // never its own
  assert.deepEqual(system.problems, []);
});

test('who_only_wants_to_settle_is_shown_what_lacks_no_more_than_their_vote', async () => {
  const page = await system.signedIn('moss');
  await page.to('/review?by=settle');
  await shown(page, open);
  await page.getByText('1 left').waitFor();
  await settle(open, { missing: 1.5 });
  await page.reload();
  await page.getByText('All done here.').waitFor();
  await settle(open, { missing: 0.4 });
});

test('a_queue_is_of_a_place', async () => {
  const page = await system.signedIn('moss');
  await page.to('/review?by=place&value=48.9,3.1'); // the cell beside
  await page.locator('.desk').waitFor();
  await page.getByText('2 left').waitFor();
  await page.to('/review?by=place&value=-10.0,40.0');
  await page.getByText('All done here.').waitFor();
  await page.context().grantPermissions(['geolocation']);
  await page.context().setGeolocation({ latitude: 48.01, longitude: 2.59, accuracy: 10 });
  await page.locator('#queue').selectOption('review');
  await page.locator('#queue').selectOption('place');
  await page.getByText('Choose a place.').waitFor();
  await page.getByRole('button', { name: 'Where I am' }).click();
  await page.getByText('2 left').waitFor();
});

test('pictures_sent_twice_are_a_queue', async () => {
  await settle(twin, { valid: true, grade: 'research', taxon: (await document(`${valid}:consensus`)).taxon });
  await indexed(2);
  const page = await system.signedIn('moss');
  await page.to('/review?by=duplicates');
  await page.getByText('2 left').waitFor();
  const first = await page.locator('.desk').getAttribute('data-obs');
  await page.keyboard.press('ArrowRight');
  await shown(page, first === twin ? valid : twin);
});

test('what_the_observer_thinks_it_is_goes_with_the_observation_though_no_flora_lists_it', async () => {
  const rows = (await system.store.get('/linnet-reference/_all_docs?include_docs=true')).rows.map(({ doc }) => doc), page = await system.signedIn('fern');
  await page.to('/observe');
  await page.locator('#flora option').nth(1).waitFor({ state: 'attached' });
  const flora = await page.locator('#flora option').nth(1).getAttribute('value'), listed = new Set(rows.find((doc) => doc._id === flora).taxa);
  await page.locator('#flora').selectOption(flora);
  const other = rows.find((doc) => doc.kind === 'taxon' && doc.taxonRank === 'species' && !doc.acceptedNameUsageID && !listed.has(doc._id));
  await page.getByRole('combobox', { name: 'Your guess, if you have one…' }).fill(other.scientificName.slice(0, -1));
  await page.getByRole('option').filter({ hasText: other.scientificName }).first().click();
  await page.locator('.chosen-taxon').getByText(other.scientificName).waitFor();
  const obs = await observe(page, system.pictures(1, 5), undefined, { there: true });
  const sent = await until('it is sent', async () => (await system.store.documents()).get(`${obs}:observation`));
  assert.deepEqual([sent.proposed_taxon, sent.flora], [other._id, flora]);
});
