/* The floras of the site, by title; remembered for the field. */
import { useEffect, useState } from 'preact/hooks';
import { keep, kept } from './keep.js';
import { view } from './observations.js';

let list = null, asked = null;

export const floras = () => (list ? Promise.resolve(list) : (asked ??= load().finally(() => { asked = null; })));

async function load() {
  try {
    list = (await view('reference', 'floras', {})).rows.map(({ id, key, value }) => ({ id, title: key, species: value }));
    keep('packs', [['floras', list]]);
    return list;
  } catch {
    return (await kept('packs', 'floras')) || [];
  }
}

export function useFloras() {
  const [value, set] = useState(list || []);
  useEffect(() => { floras().then(set); }, []);
  return value;
}
