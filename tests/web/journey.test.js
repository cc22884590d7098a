'use strict';
/* An observation's way, as people go it: seen, saved, sent, identified, voted on, valid. */
const test = require('node:test');
const assert = require('node:assert');
const { System, until } = require('./lib');
const { observe } = require('./people');
const { byKind } = require('../e2e/lib');

let system, uids;
test.before(async () => {
  system = await System.start();
  uids = { fern: system.user('fern'), moss: system.user('moss', 'reviewer'), ivy: system.user('ivy', 'reviewer'), sedge: system.user('sedge', 'reviewer') };
});
test.after(async () => system?.stop());

const documents = (kind) => system.store.documents().then((all) => byKind(all, kind));

test('a_wrong_password_lets_nobody_in', async () => {
  const page = await system.page();
  await system.signIn(page, 'fern', 'not her password');
  await page.getByRole('alert').getByText('Name or password is wrong.').waitFor();
  assert.equal(await page.evaluate(() => localStorage.getItem('linnet.me') && JSON.parse(localStorage.getItem('linnet.me')).uid), null);
});

test('an_observer_submits_two_views_and_sees_the_identification_appear', async () => {
  const page = await system.signedIn('fern', { size: 'phone' });
  const obs = await observe(page, system.pictures(2));
  await page.locator('.suggestion').first().waitFor({ timeout: 60000 }); // without a reload
  assert.match(await page.locator('.suggestion').first().innerText(), /%/);
  await page.getByText('Identified', { exact: true }).waitFor();
  const all = await system.store.documents();
  const observation = all.get(`${obs}:observation`);
  assert.equal(observation.observer, uids.fern);
  assert.equal(observation.views.length, 2);
  assert.deepEqual(all.get(`${obs}:identification`).views, { used: 2, of: 2 });
  for (const view of observation.views) assert.ok(all.has(`${obs}:image:${view.image}`));
  assert.deepEqual(system.problems, []);
});

test('the_exact_place_leaves_the_device_sealed_only', async () => {
  for (const observation of await documents('observation')) {
    assert.equal(observation.location.decimalLatitude, 48.2);
    assert.equal(observation.location.decimalLongitude, 2.6);
    assert.match(observation.location.sealed, /^[A-Za-z0-9+/]+={0,2}$/);
  }
  const text = JSON.stringify([...(await system.store.documents()).values()]);
  assert.doesNotMatch(text, /48\.12|2\.65/);
});

test('a_reviewer_votes_by_keyboard_and_the_consensus_turns_valid_before_their_eyes', async () => {
  const names = ['moss', 'ivy', 'sedge'];
  for (const [index, name] of names.entries()) {
    const page = await system.signedIn(name);
    await page.to('/review');
    await page.locator('.suggestion').first().waitFor();
    await page.keyboard.press('1');
    const last = page.locator('.last-vote');
    await last.getByText(index < 2 ? 'counted' : 'valid', { exact: true }).waitFor({ timeout: 30000 });
    await page.context().close();
  }
  const [consensus] = await until('a valid consensus', async () => {
    const found = (await documents('consensus')).filter((doc) => doc.valid);
    return found.length ? found : null;
  });
  assert.equal(consensus.votes.length, 3);
  const votes = await documents('validation');
  assert.deepEqual(votes.map((vote) => vote.user).sort(), [uids.moss, uids.ivy, uids.sedge].sort());
  for (const vote of votes) assert.deepEqual([vote.suggested.shown, vote.suggested.rank], [true, 1]);
  assert.deepEqual(system.problems, []);
});
