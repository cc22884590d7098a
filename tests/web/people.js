'use strict';
/* What people do on pages, as tests want it done. */

/* Fill the form (`there`: the page shows it already) with pictures and a place, and save; returns the observation. */
async function observe(page, files, place = { latitude: 48.123456, longitude: 2.654321 }, { there = false } = {}) {
  await page.context().grantPermissions(['geolocation']);
  await page.context().setGeolocation({ ...place, accuracy: 12 });
  if (!there) await page.getByRole('navigation', { name: 'Pages' }).getByText('Observe', { exact: true }).click();
  await page.locator('input[type=file][multiple]').setInputFiles(files);
  await page.locator('.draft-picture img').nth(files.length - 1).waitFor();
  await page.getByRole('button', { name: 'Where I am' }).click();
  await page.locator('.place-now b').waitFor();
  await page.getByRole('button', { name: 'Save the observation' }).click();
  await page.waitForURL(/#\/o\//);
  return decodeURIComponent(page.url().split('#/o/')[1]);
}

/* An observation as an app writes it, by the store's admin: for tests that begin later. */
async function put(system, uid, file, extra = {}) {
  const crypto = require('crypto'), fs = require('fs');
  const letters = '0123456789ABCDEFGHJKMNPQRSTVWXYZ', bytes = fs.readFileSync(file);
  const obs = `01K${Array.from(crypto.randomBytes(23), (byte) => letters[byte & 31]).join('')}`, digest = crypto.createHash('sha256').update(bytes).digest('hex');
  const created = '2026-05-03T10:25:30Z';
  const answer = await system.store.ask('POST', '/linnet/_bulk_docs', { docs: [
    { _id: `${obs}:image:${digest}`, kind: 'image', observer: uid, created_at: created, _attachments: { original: { content_type: 'image/jpeg', data: bytes.toString('base64') } } },
    { _id: `${obs}:observation`, kind: 'observation', observer: uid, created_at: created, observed_at: created, location: { decimalLatitude: 48, decimalLongitude: 2.6 },
      views: [{ image: digest, organ: 'auto', licence: 'CC-BY-4.0' }], ...extra }] });
  const refused = answer.json.find((row) => row.error);
  if (refused) throw new Error(`${refused.id}: ${refused.reason}`);
  return obs;
}

module.exports = { observe, put };
