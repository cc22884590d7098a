'use strict';
/* Without a network and back: nothing lost, nothing twice; and two people at once. */
const test = require('node:test');
const assert = require('node:assert');
const { System, until } = require('./lib');
const { observe, put } = require('./people');
const { byKind } = require('../e2e/lib');

let system, uids;
test.before(async () => {
  system = await System.start();
  uids = { fern: system.user('fern'), moss: system.user('moss', 'reviewer'), ivy: system.user('ivy', 'reviewer') };
});
test.after(async () => system?.stop());

const whole = async (kind) => byKind(await system.store.documents(), kind);

/* The service worker has the app: from now on pages open without a network. */
const installed = (page) => page.evaluate(async () => { await navigator.serviceWorker.ready; });

test('what_is_observed_and_voted_offline_is_there_once_when_the_network_is_back', async () => {
  const [file, ...mine] = system.pictures(3), other = await put(system, uids.moss, file);
  await until('it is identified', async () => (await whole('identification')).length === 1);
  await until('it has a consensus', async () => (await whole('consensus')).length === 1);
  const page = await system.signedIn('fern', { size: 'phone' });
  await installed(page);
  for (const where of ['/observe', '/review', '/mine']) { await page.to(where); await page.locator('h1').waitFor(); } // reads what the field will need
  await page.to('/review');
  await page.locator('.suggestion').first().waitFor();
  await page.context().setOffline(true);

  await page.locator('.suggestion').first().click();
  await page.locator('.last-vote').getByText('saved here').waitFor();
  const obs = await observe(page, mine);
  await page.getByText('Only here').waitFor();
  await page.reload(); // a telephone forgets pages
  await page.getByText('Only here').waitFor();
  await page.to('/mine');
  await page.locator('.tile').getByText('Only here').waitFor();
  assert.deepEqual([(await whole('observation')).length, (await whole('validation')).length], [1, 0]);

  await page.context().setOffline(false);
  await page.locator('.tile').getByText('Identified').waitFor({ timeout: 60000 });
  await until('all is sent', async () => (await whole('observation')).length === 2 && (await whole('validation')).length === 1);
  const documents = await system.store.documents();
  assert.equal(documents.get(`${obs}:observation`).observer, uids.fern);
  assert.equal(documents.get(`${obs}:observation`)._conflicts, undefined);
  assert.equal([...documents.keys()].filter((id) => id.startsWith(`${obs}:image:`)).length, 2);
  assert.equal(documents.get(`${other}:validation:${uids.fern}`).vote, 'taxon');
  await page.reload();
  await page.locator('.tile').first().waitFor();
  await page.waitForFunction(() => !document.querySelector('.sync'));
  const again = await system.store.documents();
  assert.equal(byKind(again, 'observation').length, 2);
  assert.equal(again.get(`${obs}:observation`)._rev, documents.get(`${obs}:observation`)._rev);
  assert.deepEqual(system.problems.filter((text) => !/ERR_INTERNET_DISCONNECTED/.test(text)), []);
});

test('a_network_that_breaks_while_sending_loses_nothing_and_sends_nothing_twice', async () => {
  const page = await system.signedIn('fern');
  await installed(page);
  let broken = 0;
  await page.context().route(/_bulk_docs/, async (route) => {
    if (++broken > 2) return route.continue();
    if (broken === 2) { await route.fetch(); } // it arrived, and the answer did not
    return route.abort('connectionreset');
  });
  const before = (await whole('observation')).length, obs = await observe(page, system.pictures(2, 5));
  await until('it has arrived', async () => (await system.store.documents()).has(`${obs}:observation`), 90000);
  await page.waitForFunction(() => !document.querySelector('.sync'), null, { timeout: 90000 });
  assert.equal(broken, 2); // what had arrived is not sent again
  const documents = await system.store.documents();
  assert.equal(byKind(documents, 'observation').length, before + 1);
  assert.match(documents.get(`${obs}:observation`)._rev, /^1-/);
  await page.context().close();
});

test('two_reviewers_vote_on_one_observation_at_once_and_both_count', async () => {
  const obs = await put(system, uids.fern, system.pictures(1, 9)[0]);
  await until('it is identified', async () => (await system.store.documents()).has(`${obs}:identification`));
  const [a, b] = await Promise.all([system.signedIn('moss'), system.signedIn('ivy')]);
  for (const page of [a, b]) { await page.to(`/o/${obs}`); await page.locator('.suggestion').first().waitFor(); }
  await Promise.all([a.locator('.suggestion').nth(0).click(), b.locator('.suggestion').nth(1).click()]);
  for (const page of [a, b]) await page.locator('.votes tbody tr').nth(1).waitFor({ timeout: 60000 }); // each sees the other's
  const consensus = await until('both are counted', async () => {
    const found = (await system.store.documents()).get(`${obs}:consensus`);
    return found?.votes.length === 2 ? found : null;
  });
  assert.deepEqual(consensus.votes.map((vote) => vote.user).sort(), [uids.moss, uids.ivy].sort());
  assert.notEqual(consensus.votes[0].taxon, consensus.votes[1].taxon);
});

test('a_vote_is_taken_back_by_one_key', async () => {
  const obs = await put(system, uids.fern, system.pictures(1, 12)[0]);
  await until('it waits for review', async () => (await system.store.documents()).get(`${obs}:consensus`)?.grade === 'needs_review');
  const page = await system.signedIn('moss');
  await page.to(`/review?by=observer&value=${uids.fern}`);
  await page.locator('.suggestion').first().waitFor();
  const before = (await whole('validation')).length;
  await page.keyboard.press('n');
  await until('the vote has arrived', async () => (await whole('validation')).length === before + 1);
  await page.locator('.last-vote').waitFor();
  await page.keyboard.press('u');
  await until('it is gone', async () => (await whole('validation')).length === before);
});
