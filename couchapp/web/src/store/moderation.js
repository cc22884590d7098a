/* What moderators (admins) do, straight in the store: a takedown waits for nobody's device. */
import { ask, get } from './http.js';
import { view } from './observations.js';
import { database } from './site.js';

const path = (id) => `${database('main')}/${encodeURIComponent(id)}`;

/* [{obs, id, at, reason, image, note}], oldest first. */
export async function flags(signal) {
  const { rows } = await view('main', 'flags', { reduce: false, limit: 200 }, { signal });
  return rows.map(({ id, key: [at, obs], value }) => ({ id, at, obs, ...value }));
}

async function remove(id) {
  try {
    const { _rev: rev } = await get(path(id));
    await ask('DELETE', `${path(id)}?rev=${rev}`);
  } catch (error) {
    if (error.status !== 404) throw error;
  }
}

export const dismiss = (flag) => remove(flag.id);

/* Take an observation down: its pictures and itself; what was derived of it goes by the workers' hands, the flag with it. */
export async function takeDown({ obs, id }) {
  const { views } = await get(path(`${obs}:observation`)).catch((error) => { if (error.status === 404) return { views: [] }; throw error; });
  for (const { image } of views) await remove(`${obs}:image:${image}`);
  await remove(`${obs}:observation`);
  await remove(id);
}
