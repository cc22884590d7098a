/* What one's observations were called when one last looked, so that a change can be told. On this device only. */
import { keep, kept } from './keep.js';
import { me } from './session.js';

const key = () => `called:${me.value.uid}`;
export const calledNow = ({ consensus, identification }) => consensus?.taxon || identification?.best?.taxon || null;

/* Map of obs -> the taxon it had, for those that have another now. What has no entry yet is remembered as it is. */
export async function changes(wholes) {
  const called = (await kept('packs', key())) || {}, changed = new Map();
  for (const whole of wholes) {
    const now = calledNow(whole), before = called[whole.obs];
    if (!now) continue;
    if (before && before !== now) changed.set(whole.obs, before);
    else called[whole.obs] = now;
  }
  await keep('packs', [[key(), called]]);
  return changed;
}

/* The observer has looked at it. */
export async function looked(whole) {
  const called = (await kept('packs', key())) || {}, now = calledNow(whole);
  if (now && called[whole.obs] !== now) await keep('packs', [[key(), { ...called, [whole.obs]: now }]]);
}
