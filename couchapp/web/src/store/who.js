/* Who was signed in on this device when it last knew. */
export const KEY = 'linnet.me';
export const NOBODY = { name: null, uid: null, roles: [] };

export function remembered() {
  try { return { ...NOBODY, ...JSON.parse(localStorage.getItem(KEY)) }; } catch { return NOBODY; }
}
