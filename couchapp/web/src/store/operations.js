/* What the site's admins see: who works, what waits, what failed for good, what is asked of trainers. */
import { ask, get } from './http.js';
import { view } from './observations.js';
import { database } from './site.js';

const opsRange = async (kind, signal) => {
  const { rows } = await get(`${database('ops')}/_all_docs?include_docs=true&startkey=${encodeURIComponent(JSON.stringify(`${kind}:`))}&endkey=${encodeURIComponent(JSON.stringify(`${kind};`))}`, { signal });
  return rows.map((row) => row.doc);
};

export async function overview(signal) {
  const [workers, letters, retries, retrainings, models, states] = await Promise.all([
    opsRange('worker', signal), opsRange('deadletter', signal), view('ops', 'retries', {}, { signal }),
    opsRange('retraining', signal), view('reference', 'models', {}, { signal }), view('main', 'by_grade', { group_level: 1 }, { signal }),
  ]);
  return {
    workers, letters, retrainings,
    retries: retries.rows[0]?.value || 0,
    models: models.rows.map((row) => ({ name: row.key[0], created_at: row.key[1], ...row.value })),
    grades: Object.fromEntries(states.rows.map((row) => [row.key[0], row.value])),
  };
}

/* A worker is taken for gone when it has been silent for longer than its term, by the reader's clock, with some patience: for
 * people; no program goes by it. */
const PATIENCE = 2;
export const isAlive = (worker) => !worker.stopped && Date.now() - Date.parse(worker.at) < PATIENCE * (worker.term_ms || 30000);

/* Send a dead letter round again, as `linnet deadletter retry` does: first the retry, then the letter's end, so that whatever
 * happens in between one of them stands. */
export async function retry(letter) {
  const id = `retry:${letter.stage}:${letter.id}`, path = `${database('ops')}/${encodeURIComponent(id)}`;
  let standing = {};
  try { standing = await get(path); } catch (error) { if (error.status !== 404) throw error; }
  await ask('PUT', path, {
    _id: id, kind: 'retry', stage: letter.stage, id: letter.id, at: new Date().toISOString(), attempts: 0, reason: 'asked for by an administrator',
    ...(standing._rev ? { _rev: standing._rev } : {}),
  });
  await ask('DELETE', `${database('ops')}/${encodeURIComponent(letter._id)}?rev=${letter._rev}`);
}

/* One sample of what the live workers say of their stages: { "group/stage": {lag, processed, queued} }. */
export function sample(workers) {
  const found = {};
  for (const worker of workers.filter(isAlive)) {
    for (const [group, { lag_ms: lag = 0, stages = {} }] of Object.entries(worker.groups || {})) {
      for (const [stage, { processed = 0 }] of Object.entries(stages)) {
        const at = (found[`${group}/${stage}`] ||= { lag: 0, processed: 0 });
        at.lag = Math.max(at.lag, lag);
        at.processed += processed;
      }
    }
  }
  return found;
}
