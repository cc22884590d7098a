'use strict';
/* What people do with each other's observations, and admins with what failed. */
const test = require('node:test');
const assert = require('node:assert');
const { System, until } = require('./lib');
const { put } = require('./people');
const { byKind } = require('../e2e/lib');

let system, uids, obs;
test.before(async () => {
  system = await System.start();
  uids = { fern: system.user('fern'), moss: system.user('moss', 'reviewer') };
  system.user('juniper', 'admin');
  obs = await put(system, uids.fern, system.pictures(1)[0]);
  await until('it is identified', async () => (await system.store.documents()).has(`${obs}:identification`));
});
test.after(async () => system?.stop());

const has = async (id) => (await system.store.documents()).has(id);

test('a_comment_is_read_by_others_and_taken_back', async () => {
  const [page, other] = [await system.signedIn('moss'), await system.signedIn('fern')];
  for (const one of [page, other]) { await one.to(`/o/${obs}`); await one.locator('.together').waitFor(); }
  await page.getByLabel('Say something about it').fill('The teeth of the leaf tell.');
  await page.getByRole('button', { name: 'Send' }).click();
  await other.getByText('The teeth of the leaf tell.').waitFor(); // without a reload
  await page.getByRole('button', { name: 'Remove' }).click();
  await other.getByText('The teeth of the leaf tell.').waitFor({ state: 'detached' });
  assert.equal(byKind(await system.store.documents(), 'comment').length, 0);
});

test('voting_for_a_genus_asks_whether_the_species_is_contradicted', async () => {
  const { species } = (await system.store.documents()).get(`${obs}:identification`), { parentNameUsageID: genus } = await system.store.get(`/linnet-reference/${encodeURIComponent(species[0].taxon)}`);
  const { scientificName } = await system.store.get(`/linnet-reference/${encodeURIComponent(genus)}`);
  const fern = await system.signedIn('fern'), page = await system.signedIn('moss');
  await fern.to(`/o/${obs}`);
  await fern.locator('.suggestion').first().click();
  await until('it leads', async () => (await system.store.documents()).get(`${obs}:consensus`)?.taxon === species[0].taxon);
  await page.to(`/o/${obs}`);
  await page.locator('.verdict .taxon-name').waitFor();
  const search = page.getByRole('combobox', { name: 'Another name' }).first();
  await search.fill(`${scientificName.slice(0, 4)}x${scientificName.slice(4)}`); // one letter too many
  await page.getByRole('option').filter({ hasText: new RegExp(`^${scientificName}`) }).first().click();
  await page.getByRole('dialog').getByRole('button', { name: 'I disagree with the finer name' }).click();
  const vote = await until('the vote', async () => (await system.store.documents()).get(`${obs}:validation:${uids.moss}`));
  assert.deepEqual([vote.taxon, vote.disagrees_with], [genus, species[0].taxon]);
});

test('a_flag_reaches_the_admin_who_takes_the_observation_down', async () => {
  const page = await system.signedIn('moss'), admin = await system.signedIn('juniper');
  await page.to(`/o/${obs}`);
  await page.getByRole('button', { name: 'Flag it' }).click();
  await page.getByLabel('A person can be recognised').check();
  await page.getByRole('button', { name: 'Send the flag' }).click();
  await until('the flag', () => has(`${obs}:flag:${uids.moss}`));
  await admin.to('/admin');
  await admin.getByText('A person can be recognised').waitFor();
  await admin.getByRole('button', { name: 'Take it down' }).click();
  await admin.getByRole('dialog').getByRole('button', { name: 'Take it down' }).click();
  await until('nothing of it is left', async () => ![...(await system.store.documents()).keys()].some((id) => id.startsWith(obs)), 90000);
});

test('an_observer_withdraws_an_observation_with_all_that_was_made_of_it', async () => {
  const mine = await put(system, uids.fern, system.pictures(1, 3)[0]);
  await until('it is identified', () => has(`${mine}:identification`));
  const page = await system.signedIn('fern');
  await page.to(`/o/${mine}`);
  await page.getByRole('button', { name: 'Withdraw this observation' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Withdraw' }).click();
  await page.waitForURL(/#\/mine/);
  await until('nothing of it is left', async () => ![...(await system.store.documents()).keys()].some((id) => id.startsWith(mine)), 90000);
});

test('an_admin_sends_a_dead_letter_round_again', async () => {
  const fs = require('node:fs'), path = require('node:path'), broken = path.join(system.folder, 'broken.jpg');
  fs.writeFileSync(broken, Buffer.concat([fs.readFileSync(system.pictures(1)[0]).subarray(0, 400), Buffer.alloc(50)]));
  const bad = await put(system, uids.fern, broken);
  const letters = async () => byKind(await system.store.documents('linnet-ops'), 'deadletter');
  const [letter] = await until('a dead letter', async () => { const all = await letters(); return all.length ? all : null; }, 90000);
  assert.equal(letter.id.slice(0, 26), bad);
  const page = await system.signedIn('juniper');
  await page.to('/admin');
  await page.locator('.letters').getByText(letter.reason.slice(0, 40)).waitFor();
  await page.getByRole('button', { name: 'Try again' }).click();
  const next = await until('it has failed anew', async () => (await letters()).find((one) => one._rev !== letter._rev), 90000); // still broken
  assert.equal(next.id, letter.id);
  assert.deepEqual(system.problems, []);
});
