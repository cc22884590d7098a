'use strict';
/* What a stranger may have written: script in every field of text, pictures that are none. Nothing of it runs, nothing breaks a page. */
const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { System, until } = require('./lib');
const { observe, put } = require('./people');

const SCRIPT = '<img src=x onerror="document.documentElement.dataset.owned=1"><script>document.documentElement.dataset.owned=2</script>';
let system, uid, obs;

test.before(async () => {
  system = await System.start();
  uid = system.user('fern');
  system.user('juniper', 'admin');
  const where = '/linnet-reference/_all_docs?include_docs=true&startkey="taxon:"&endkey="taxon%3B"';
  const docs = (await system.store.get(where)).rows.map((row) => ({ ...row.doc, scientificNameAuthorship: SCRIPT, vernacularNames: { en: [SCRIPT] } }));
  await system.store.ask('POST', '/linnet-reference/_bulk_docs', { docs });
  const flora = (await system.store.get('/linnet-reference/_all_docs?include_docs=true&startkey="flora:"&endkey="flora%3B"')).rows[0].doc;
  await system.store.ask('PUT', `/linnet-reference/${encodeURIComponent(flora._id)}`, { ...flora, title: SCRIPT });
  obs = await put(system, uid, system.pictures(1)[0]);
  const say = (id, document) => system.store.ask('PUT', `/linnet/${encodeURIComponent(id)}`, { created_at: '2026-05-03T10:25:30Z', user: uid, ...document });
  await say(`${obs}:comment:01JTB8A0B1C2D3E4F5G6H7J8K9`, { kind: 'comment', text: SCRIPT });
  await say(`${obs}:flag:${uid}`, { kind: 'flag', reason: 'other', note: SCRIPT });
  await system.store.ask('PUT', '/linnet-ops/deadletter%3Anormalize%3Ax', { _id: 'deadletter:normalize:x', kind: 'deadletter', stage: 'normalize', id: `${obs}:image:${SCRIPT}`,
    reason: SCRIPT, class: 'permanent', attempts: 1, at: '2026-05-03T10:25:30Z', fingerprint: '0'.repeat(64), inputs: [] });
  await until('it is identified', async () => (await system.store.documents()).has(`${obs}:identification`));
});
test.after(async () => system?.stop());

test('no_text_becomes_markup_or_code_on_any_page', async () => {
  const page = await system.signedIn('juniper');
  const { species } = (await system.store.documents()).get(`${obs}:identification`);
  for (const where of ['/observe', '/review', '/explore', '/explore?map=1', `/o/${obs}`, `/t/${encodeURIComponent(species[0].taxon)}`, `/u/${encodeURIComponent(SCRIPT)}`,
    `/o/${encodeURIComponent(SCRIPT)}`, `/t/${encodeURIComponent(SCRIPT)}`, `/review?by=${encodeURIComponent(SCRIPT)}&value=${encodeURIComponent(SCRIPT)}`, '/admin', `/${encodeURIComponent(SCRIPT)}`]) {
    await page.to(where);
    await page.locator('main h1, main h2, main .notice').first().waitFor({ timeout: 60000 });
    assert.equal(await page.locator('main script, main img[src="x"]').count(), 0, where);
  }
  await page.to(`/o/${obs}`);
  await page.locator('.comment-text', { hasText: '<script>' }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.owned), undefined);
});

test('the_page_itself_allows_nothing_from_elsewhere_and_no_inline_code', async () => {
  const page = await system.page(), refused = [];
  page.on('console', (message) => { if (/Content Security Policy|Refused to/.test(message.text())) refused.push(message.text()); });
  await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'document.documentElement.dataset.owned = 3';
    document.body.append(script);
    const image = document.createElement('img');
    image.src = 'https://elsewhere.example/x.png';
    document.body.append(image);
  });
  await until('both were refused', () => refused.length >= 2);
  assert.equal(await page.evaluate(() => document.documentElement.dataset.owned), undefined);
  system.problems.length = 0;
});

test('a_picture_that_is_none_is_refused_on_the_device', async () => {
  const page = await system.signedIn('fern'), file = path.join(system.folder, 'leaf.jpg'), cut = path.join(system.folder, 'cut.jpg');
  fs.writeFileSync(file, '<html>not a picture</html>');
  fs.writeFileSync(cut, fs.readFileSync(system.pictures(1)[0]).subarray(0, 700));
  await page.to('/observe');
  await page.locator('input[type=file][multiple]').setInputFiles([file, cut]);
  await page.getByRole('alert').getByText('leaf.jpg: This is no JPEG, PNG or WebP picture.').waitFor();
  await page.getByRole('alert').getByText('cut.jpg: This is not a whole picture.').waitFor();
  assert.ok(await page.getByRole('button', { name: 'Save the observation' }).isDisabled());
});

test('a_picture_loses_its_place_and_its_maker_before_it_is_sent', async () => {
  const told = system.pictures(60).find((file) => { const bytes = fs.readFileSync(file); return bytes.includes('Exif') && bytes.length > 1000; });
  assert.ok(told, 'a sample with EXIF');
  const page = await system.signedIn('fern'), one = await observe(page, [told]);
  const id = await until('it is sent', async () => [...(await system.store.documents()).keys()].find((key) => key.startsWith(`${one}:image:`)));
  const answer = await fetch(`${system.store.url.origin}/${system.store.prefix}/${encodeURIComponent(id)}/original`), bytes = Buffer.from(await answer.arrayBuffer());
  assert.equal(require('node:crypto').createHash('sha256').update(bytes).digest('hex'), id.split(':')[2]);
  const at = bytes.indexOf('Exif');
  if (at >= 0) assert.ok(bytes.readUInt16BE(at - 2) === 34, 'an EXIF segment of the orientation alone');
  assert.ok(bytes.length < fs.statSync(told).size);
});
