'use strict';
/* With `linnet serve` beside the store: a stranger signs up, observes, and hears of the identification by the one stream of events. */
const test = require('node:test');
const assert = require('node:assert');
const { PASSWORD, System } = require('./lib');
const { observe } = require('./people');

let system;
test.before(async () => { system = await System.start({ serve: true }); });
test.after(async () => system?.stop());

test('an_observer_signs_up_submits_two_views_and_sees_the_identification_appear', async () => {
  const page = await system.page({ size: 'phone' }), name = 'newcomer', polls = [];
  await page.getByRole('link', { name: 'Sign up' }).click();
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(PASSWORD);
  system.names = [name];
  await page.getByRole('button', { name: 'Make my account' }).click();
  await page.getByRole('heading', { level: 1, name: new RegExp(name) }).waitFor();
  const uid = await page.evaluate(() => JSON.parse(localStorage.getItem('linnet.me')).uid);
  assert.match(uid, /^[a-z2-7]{26}$/);
  page.on('request', (request) => { if (/_changes/.test(request.url())) polls.push(request.url()); });
  const events = page.waitForResponse((response) => /\/v2\/events/.test(response.url()) && response.status() === 200);
  const obs = await observe(page, system.pictures(2));
  await events;
  await page.locator('.suggestion').first().waitFor({ timeout: 60000 });
  assert.equal((await system.store.documents()).get(`${obs}:observation`).observer, uid);
  assert.ok(polls.length <= 3, `the store was asked for changes ${polls.length} times although events came`);
  assert.deepEqual(system.problems, []);
});

test('a_name_that_is_taken_is_said_to_be', async () => {
  const page = await system.page();
  await page.getByRole('link', { name: 'Sign up' }).click();
  await page.getByLabel('Name').fill('newcomer');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Make my account' }).click();
  await page.getByRole('alert').getByText('This name is taken.').waitFor();
});
