'use strict';
/* Explore: every filter alone and with others, in the list and on the map; the pages of a taxon and of a person that lead there. */
const test = require('node:test');
const assert = require('node:assert');
const { System, until } = require('./lib');
const { put } = require('./people');

let system, uids, all, taxa;

const document = (id) => system.store.get(`/linnet/${encodeURIComponent(id)}`);

async function settle(obs, change) {
  const answer = await system.store.ask('PUT', `/linnet/${obs}:consensus`, { ...(await document(`${obs}:consensus`)), ...change });
  assert.equal(answer.status, 201, answer.text);
}

/* Five observations: two taxa, two observers, two places, three months, two grades, two floras. */
test.before(async () => {
  system = await System.start({ observations: 6 });
  uids = { fern: system.user('fern'), moss: system.user('moss') };
  const [picture, other] = system.pictures(2), floras = (await system.store.get('/linnet-reference/_design/linnet/_view/floras')).rows.map((row) => row.id);
  const make = (who, at, flora, file = picture) => put(system, uids[who], file, { observed_at: at, flora });
  all = {
    a: await make('fern', '2026-03-05T10:00:00Z', floras[0]), b: await make('fern', '2026-05-20T10:00:00Z', floras[0]), c: await make('moss', '2026-05-31T10:00:00Z', floras[1]),
    d: await make('moss', '2026-07-01T10:00:00Z', floras[1], other), e: await make('moss', '2025-05-20T10:00:00Z', floras[0], other),
  };
  await until('all have an answer', async () => { const documents = await system.store.documents(); return Object.values(all).every((obs) => documents.has(`${obs}:identification`) && documents.has(`${obs}:consensus`)); });
  await system.worker.stop(); // what stands now is the test's
  const species = (await document(`${all.a}:identification`)).species.map(({ taxon }) => taxon);
  taxa = [species[0], species.find((one) => one !== species[0]) || (await document(`${all.d}:identification`)).species[0].taxon];
  const at = (decimalLatitude, decimalLongitude) => ({ location: { decimalLatitude, decimalLongitude } });
  await settle(all.a, { taxon: taxa[0], valid: true, grade: 'research', ...at(48.2, 2.6) });
  await settle(all.b, { taxon: taxa[0], valid: false, grade: 'needs_review', ...at(48.8, 2.4) });
  await settle(all.c, { taxon: taxa[0], valid: true, grade: 'research', ...at(43.4, 179.8) });
  await settle(all.d, { taxon: taxa[1], valid: true, grade: 'research', ...at(43.6, -179.8) });
  await settle(all.e, { taxon: taxa[1], valid: false, grade: 'needs_review', ...at(48, 3) });
});
test.after(async () => system?.stop());

const names = (list) => list.map((obs) => Object.entries(all).find(([, one]) => one === obs)?.[0] || obs).sort().join('');

/* Which of them the page shows. */
async function shown(page) {
  await page.waitForFunction(() => !document.querySelector('main .waiting') && document.querySelector('main .tiles, main .empty, main .places'));
  return names(await page.locator('main .tiles a[href^="#/o/"]').evaluateAll((links) => links.map((link) => decodeURIComponent(link.getAttribute('href').slice(4)))));
}

test('each_filter_and_their_combinations_find_what_they_say', async () => {
  const page = await system.page(), [one, two] = taxa.map(encodeURIComponent), { fern, moss } = uids, floras = [...new Set(await Promise.all(['a', 'c'].map(async (name) => (await document(`${all[name]}:observation`)).flora)))].map(encodeURIComponent);
  const wanted = {
    '': 'abcde', [`taxon=${one}`]: 'abc', [`taxon=${two}`]: 'de', 'grade=research': 'acd', [`taxon=${one}&grade=research`]: 'ac', [`observer=${fern}`]: 'ab', [`observer=${moss}&taxon=${one}`]: 'c',
    [`observer=${moss}&grade=needs_review`]: 'e', 'from=2026-05-20': 'bcd', 'to=2026-03-05': 'ae', 'from=2026-05-20&to=2026-05-31': 'bc', [`from=2026-05-20&taxon=${one}`]: 'bc', 'from=2026-05-01&grade=research': 'cd',
    'near=48.5,2.5': 'abe', 'near=48.5,2.5&grade=needs_review': 'be', 'near=43.5,179.5': 'cd', 'near=43.5,-179.5&from=2026-06-01': 'd', 'near=10,10': '', [`near=48.5,2.5&observer=${moss}`]: 'e',
    [`flora=${floras[0]}`]: 'abe', [`flora=${floras[1]}&taxon=${two}`]: 'd', [`flora=${floras[0]}&from=2026-01-01&to=2026-12-31&grade=needs_review`]: 'b', 'grade=casual': '',
  };
  for (const [query, expected] of Object.entries(wanted)) {
    await page.to('/'); // so that nothing of the last list is looked at
    await page.locator('.home').waitFor();
    await page.to(`/explore?${query}`);
    assert.equal(await shown(page), expected, query);
  }
  assert.deepEqual(system.problems, []);
});

test('filters_are_set_by_hand_kept_in_the_address_and_taken_away', async () => {
  const page = await system.signedIn('moss');
  await page.to('/explore');
  await page.getByText('More filters').click();
  await page.getByLabel('from', { exact: true }).fill('2026-05-20');
  await page.waitForURL(/from=2026-05-20/);
  await page.getByRole('button', { name: 'Me', exact: true }).click();
  await page.waitForURL(new RegExp(`observer=${uids.moss}`));
  await until('both hold', async () => (await shown(page)) === 'cd');
  await page.reload();
  await until('both hold still', async () => (await shown(page)) === 'cd');
  assert.equal(await page.getByLabel('from', { exact: true }).inputValue(), '2026-05-20');
  await page.getByRole('button', { name: 'Map', exact: true }).click();
  await page.locator('.places li').nth(1).waitFor();
  assert.equal(await page.locator('.places li').count(), 2);
  await page.getByRole('button', { name: 'List', exact: true }).click();
  await page.getByRole('button', { name: 'Without these filters' }).click();
  await until('all are back', async () => (await shown(page)) === 'abcde');
  await page.context().grantPermissions(['geolocation']);
  await page.context().setGeolocation({ latitude: 48.5, longitude: 2.5, accuracy: 12 });
  await page.getByText('More filters').click();
  await page.getByRole('button', { name: 'Where I am' }).click();
  await until('what is near', async () => (await shown(page)) === 'abe');
  await page.getByRole('button', { name: 'Any place' }).click();
  await until('anywhere again', async () => (await shown(page)) === 'abcde');
  assert.deepEqual(system.problems, []);
});

test('a_taxon_shows_pictures_by_organ_places_months_people_and_what_it_is_taken_for', async () => {
  await settle(all.b, { votes: [{ user: uids.moss, taxon: taxa[1], weight: 0.7, created_at: '2026-05-21T10:00:00Z' }] });
  const page = await system.page();
  await page.to(`/t/${encodeURIComponent(taxa[0])}`);
  await page.locator('.examples img').first().waitFor();
  assert.equal(await page.locator('.examples img').count(), 2); // of the valid ones
  await page.getByRole('heading', { name: 'Seen 3 times' }).waitFor();
  await page.getByRole('heading', { name: 'Through the year' }).waitFor();
  const alike = page.locator('section.card', { has: page.getByRole('heading', { name: 'Often taken for' }) }).locator('li');
  assert.match(await alike.filter({ has: page.locator(`a[href="#/t/${encodeURIComponent(taxa[1])}"]`) }).textContent(), /once|times/);
  await page.locator('section.card', { has: page.getByRole('heading', { name: 'Seen by' }) }).locator('a').first().click();
  await page.waitForURL(new RegExp(`#/u/${uids.fern}`));
  await page.getByText('2', { exact: true }).first().waitFor();
  await page.getByRole('link', { name: 'All observations' }).click();
  await page.waitForURL(new RegExp(`observer=${uids.fern}`));
  await until('theirs are listed', async () => (await shown(page)) === 'ab');
  assert.deepEqual(system.problems, []);
});
