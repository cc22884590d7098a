/* What this device remembers of its reader's wishes: theme, language, upload size. Never anything secret. */
import { Cell } from './state.js';

const KEY = 'linnet.settings';
const DEFAULTS = { theme: 'auto', language: '', resize: false, flora: '', publish: '0.2', licence: 'CC-BY-4.0' };

function stored() {
  try { return JSON.parse(localStorage.getItem(KEY)) || {}; } catch { return {}; }
}

export const settings = new Cell({ ...DEFAULTS, ...stored() });

export function change(wishes) {
  settings.set({ ...settings.value, ...wishes });
  try { localStorage.setItem(KEY, JSON.stringify(settings.value)); } catch { /* a browser that remembers nothing */ }
}

/* "light" or "dark" as it is now, whatever was wished. */
export const themeNow = () => {
  if (settings.value.theme !== 'auto') return settings.value.theme;
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
};

export function followTheme() {
  const apply = () => { document.documentElement.dataset.theme = themeNow(); };
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', apply);
  settings.watch(apply);
  apply();
}
