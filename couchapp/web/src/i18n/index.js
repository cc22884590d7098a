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
  if (typeof text === 'object') text = text[formatter(Intl.PluralRules, {}).select(values.n)] ?? text.other;
  return text.replace(/\{(\w+)\}/g, (all, name) => (values[name] === undefined ? all : show(values[name])));
}

const show = (value) => (typeof value === 'number' ? number(value) : String(value));

/* Formatters are dear to make and cheap to use: one of each kind is kept. */
const formatters = new Map();
function formatter(Kind, options) {
  const key = `${Kind.name}${language.value}${JSON.stringify(options)}`;
  if (!formatters.has(key)) formatters.set(key, new Kind(language.value, options));
  return formatters.get(key);
}
const numeric = (value, options) => formatter(Intl.NumberFormat, options).format(value);
const dated = (time, options) => formatter(Intl.DateTimeFormat, options).format(new Date(time));

export const number = (value, digits = 0) => numeric(value, { maximumFractionDigits: digits });
export const fixed = (value, digits) => numeric(value, { minimumFractionDigits: digits, maximumFractionDigits: digits });
export const percent = (value) => numeric(value, { style: 'percent', maximumFractionDigits: value > 0 && value < 0.01 ? 1 : 0 });
export const day = (time) => dated(time, { dateStyle: 'long' });
export const moment = (time) => dated(time, { dateStyle: 'medium', timeStyle: 'short' });
export const clock = (time) => dated(time, { hour: '2-digit', minute: '2-digit' });
export const month = (index) => dated(Date.UTC(2026, index, 15, 12), { month: 'narrow' });

/* A length in the units that the language's readers use. */
export function metres(value) {
  const kilometres = value >= 1000, digits = kilometres && value < 10000 ? 1 : 0;
  return numeric(kilometres ? value / 1000 : value, { style: 'unit', unit: kilometres ? 'kilometer' : 'meter', maximumFractionDigits: digits });
}

export function place(latitude, longitude) {
  const part = (value, positive, negative) => `${fixed(Math.abs(value), 1)}° ${t(value < 0 ? negative : positive)}`;
  return `${part(latitude, 'place.north', 'place.south')}, ${part(longitude, 'place.east', 'place.west')}`;
}
