/* The app's words. English comes with the first route, other languages when they are wanted. A text may be an object of
 * plural forms (CLDR categories) chosen by its {n}; {name} is filled in. */
import { Cell } from '../state.js';
import { change, settings } from '../settings.js';
import en from './en.js';

export const LANGUAGES = { en: 'English', fr: 'Français' };
const loaders = { fr: () => import('./fr.js') };
const words = { en };

export const language = new Cell('en');

/* The wish, else the first of the browser's languages that we speak. */
function preferred() {
  const wishes = [settings.value.language, ...(navigator.languages || [])];
  return wishes.map((tag) => String(tag).slice(0, 2)).find((tag) => LANGUAGES[tag]) || 'en';
}

export async function startLanguage() {
  const tag = preferred();
  if (!words[tag]) words[tag] = (await loaders[tag]()).default;
  document.documentElement.lang = tag;
  language.set(tag);
}

export function speak(tag) {
  change({ language: tag });
  return startLanguage();
}

export function t(key, values = {}) {
  let text = words[language.value][key] ?? en[key] ?? key;
  if (typeof text === 'object') text = text[new Intl.PluralRules(language.value).select(values.n)] ?? text.other;
  return text.replace(/\{(\w+)\}/g, (all, name) => (values[name] === undefined ? all : show(values[name])));
}

const show = (value) => (typeof value === 'number' ? number(value) : String(value));

export const number = (value, digits = 0) => new Intl.NumberFormat(language.value, { maximumFractionDigits: digits }).format(value);
export const fixed = (value, digits) => new Intl.NumberFormat(language.value, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
export const percent = (value) => new Intl.NumberFormat(language.value, { style: 'percent', maximumFractionDigits: value > 0 && value < 0.01 ? 1 : 0 }).format(value);
export const day = (time) => new Intl.DateTimeFormat(language.value, { dateStyle: 'long' }).format(new Date(time));
export const moment = (time) => new Intl.DateTimeFormat(language.value, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(time));
export const month = (index) => new Intl.DateTimeFormat(language.value, { month: 'narrow' }).format(new Date(2026, index, 15));

/* A length in the units that the language's readers use. */
export function metres(value) {
  if (value < 1000) return new Intl.NumberFormat(language.value, { style: 'unit', unit: 'meter', maximumFractionDigits: 0 }).format(value);
  return new Intl.NumberFormat(language.value, { style: 'unit', unit: 'kilometer', maximumFractionDigits: value < 10000 ? 1 : 0 }).format(value / 1000);
}

export function place(latitude, longitude) {
  const part = (value, positive, negative) => `${fixed(Math.abs(value), 1)}° ${t(value < 0 ? negative : positive)}`;
  return `${part(latitude, 'place.north', 'place.south')}, ${part(longitude, 'place.east', 'place.west')}`;
}
