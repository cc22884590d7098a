'use strict';
/* What is measured in a page. Each returns milliseconds, of several turns. */

const SLOW_4G = { latency: 150, downloadThroughput: 1.6 * 1024 * 1024 / 8, uploadThroughput: 750 * 1024 / 8, offline: false }; // Lighthouse's
const SLOWER = 4; // times

const median = (list, part = 0.5) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * part))];

async function slowed(page) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Network.enable');
  await cdp.send('Network.emulateNetworkConditions', SLOW_4G);
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: SLOWER });
}

/* From the address typed to a card that answers keys: suggestions there to be taken, and the page's thread at leisure. */
async function firstCard(system, state) {
  const context = await system.browser.newContext({ viewport: { width: 390, height: 844 }, storageState: state });
  const page = await context.newPage();
  await slowed(page);
  await page.goto(`${system.app}#/review`, { waitUntil: 'commit' });
  const ms = await page.evaluate(async () => {
    const turn = () => new Promise((resolve) => { setTimeout(resolve, 0); });
    const drawn = () => document.querySelector('.desk .suggestion:not(:disabled)');
    for (let last = performance.now(); ; last = performance.now()) {
      await turn();
      if (drawn() && performance.now() - last < 50) return performance.now();
      if (performance.now() > 60000) throw new Error('no card');
    }
  });
  const picture = await page.evaluate(async () => {
    const image = () => document.querySelector('.desk .zoom img');
    while (!(image()?.complete && image().naturalWidth)) await new Promise((resolve) => { setTimeout(resolve, 20); });
    await image().decode();
    return performance.now();
  });
  await context.close();
  return { ms, picture };
}

/* From the key to the next card on the screen, its picture decoded. */
async function nextCards(page, turns) {
  await page.locator('.desk .suggestion').first().waitFor();
  return page.evaluate(async (count) => {
    const times = [], frame = () => new Promise((resolve) => { requestAnimationFrame(resolve); }), turn = () => new Promise((resolve) => { setTimeout(resolve, 0); });
    for (let i = 0; i < count; i++) {
      await new Promise((resolve) => { setTimeout(resolve, 700); }); // a reviewer looks at it
      const card = document.querySelector('.desk').dataset.obs, begin = performance.now();
      document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true }));
      const shown = () => {
        const desk = document.querySelector('.desk'), image = desk?.querySelector('.zoom img');
        return desk && desk.dataset.obs !== card && desk.querySelector('.suggestion') && image?.complete && image.naturalWidth > 0 && image;
      };
      while (!shown()) {
        await turn();
        if (performance.now() - begin > 10000) throw new Error(`no next card after ${i}`);
      }
      await shown().decode();
      await frame();
      await turn(); // the frame is out of our hands
      times.push(performance.now() - begin);
    }
    return times;
  }, turns);
}

/* From each letter typed to the list that answers it, without a network, on the page `explore`. `names`: {typed (whole), name}; `found`: of how many the name stood
 * in the last list. */
async function letters(page, names) {
  const box = page.locator('.filters input[role=combobox]');
  await box.waitFor();
  await box.fill('aa');
  await page.waitForFunction(() => document.querySelector('.filters [role=listbox]').getAttribute('aria-busy') === 'false');
  await page.context().setOffline(true);
  const answer = await box.evaluate(async (input, list) => {
    const times = [], turn = () => new Promise((resolve) => { setTimeout(resolve, 0); }), box = input.parentNode.querySelector('[role=listbox]');
    let found = 0;
    for (const { typed, name } of list) {
      for (let end = 2; end <= typed.length; end++) {
        const begin = performance.now();
        input.value = typed.slice(0, end);
        input.dispatchEvent(new InputEvent('input', { bubbles: true }));
        do {
          await turn();
          if (performance.now() - begin > 5000) throw new Error(`no answer to "${input.value}"`);
        } while (box.dataset.answers !== input.value);
        times.push(performance.now() - begin);
      }
      if (box.textContent.includes(name)) found++;
    }
    return { times, found };
  }, names);
  await page.context().setOffline(false);
  return answer;
}

module.exports = { firstCard, letters, median, nextCards };
