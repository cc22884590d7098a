#!/usr/bin/env node
'use strict';
/* bench.js: the whole pipeline on photographs of 12 megapixels, as a telephone makes them: observations of two views go through
 * normalize, convnet and fusion in `linnet worker` against a store. Prints, by stage, items and seconds, and the CPU
 * seconds of the worker's process; with perf, how much of them are libvips's and the ConvNet backend's.
 *
 *   tests/bench/pipeline/bench.js [--observations N] [--quality Q] [--most PERCENT] [--no-profile] [--json]
 *
 *   --observations N   of two views each, after two more to warm up (20)
 *   --quality Q        of the JPEGs (93: some 4 MB each)
 *   --most PERCENT     fail if more of the CPU time is neither libvips's nor the backend's (10)
 *   --no-profile       without perf: times only
 *   --json             print JSON
 *
 * LINNET_COUCHDB_URL: the store; else the embedded one. LINNET_BUILD_DIR: the build (build/). */
const fs = require('fs');
const path = require('path');
const { parseArgs } = require('util');
const { Store, Worker, build, byKind, flora, modelFolder, must, program, run, until } = require('../../e2e/lib');
const { Profile, available } = require('./profile');

const { values: options } = parseArgs({ options: {
  observations: { type: 'string', default: '20' }, quality: { type: 'string', default: '93' }, most: { type: 'string', default: '10' },
  'no-profile': { type: 'boolean', default: false }, json: { type: 'boolean', default: false },
} });
const count = Number(options.observations), warm = 2, views = 2, most = Number(options.most);
const organs = ['flower', 'leaf', 'habit'];
const ticks = Number(run('getconf', ['CLK_TCK']).out);
const say = (line) => { if (!options.json) console.log(line); };

/* Photographs of plants that the model knows, drawn once. */
function pictures() {
  const folder = path.join(build, 'bench-pictures', `q${options.quality}`);
  const taxa = fs.readFileSync(path.join(modelFolder, 'labels.csv'), 'utf8').trim().split('\n').slice(1).map((line) => line.split(',')[1]);
  fs.mkdirSync(folder, { recursive: true });
  const files = [];
  for (let i = 0; i < (count + warm) * views; i++) {
    const file = path.join(folder, `${i}.jpg`), organ = organs[i % organs.length];
    if (!fs.existsSync(file)) {
      must(flora, ['picture', '--taxon', taxa[Math.floor(i / views) % taxa.length], '--organ', organ, '--seed', String(i), '--size', '4000x3000', '--quality', options.quality, '--out', `${file}.new`]);
      fs.renameSync(`${file}.new`, file);
    }
    files.push({ file, organ });
  }
  return files;
}

function setUp(store) {
  const backbone = path.join(build, 'bench-pictures/backbone');
  if (!fs.existsSync(path.join(backbone, 'taxa.jsonl'))) must(flora, ['backbone', '--out', backbone]);
  store.setUp(path.dirname(backbone));
}

function submit(store, files) {
  for (let i = 0; i < files.length; i += views) {
    const part = files.slice(i, i + views);
    must(program, ['submit', '--quiet', '--no-wait', ...part.flatMap(({ organ }) => ['--organ', organ]), ...part.map(({ file }) => file)], { env: store.env });
  }
}

/* All `n` observations identified from all of their views. */
function identified(store, worker, n) {
  return until(() => `${n} observations are identified\n${worker.tail()}`, async () => {
    const found = byKind(await store.documents(), 'identification');
    return found.length === n && found.every((doc) => doc.views.used === views);
  }, 600000);
}

function cpuSeconds(pid) {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticks;
}

function peakMiB(pid) {
  return Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
}

/* What became of a stage's sample between two readings of the metrics. */
function grown(before, after, name, stage) {
  const of = (metrics) => [...metrics].filter(([key]) => key.startsWith(`${name}{`) && key.includes(`stage="${stage}"`)).reduce((sum, [, value]) => sum + value, 0);
  return of(after) - of(before);
}

function stageTimes(before, after) {
  return ['normalize', 'convnet', 'fusion'].map((stage) => {
    const value = (name) => grown(before, after, name, stage);
    return { stage, items: value('linnet_stage_process_seconds_count'), batches: value('linnet_stage_batches_total'), process_s: value('linnet_stage_process_seconds_sum'), queue_s: value('linnet_stage_queue_seconds_sum') };
  });
}

async function measure(store, worker, files) {
  const pid = worker.childPid, profile = options['no-profile'] || !available() ? null : new Profile(pid);
  const before = await worker.metrics(), cpu = cpuSeconds(pid), start = Date.now();
  submit(store, files);
  await identified(store, worker, count + warm);
  const used = cpuSeconds(pid) - cpu, wall = (Date.now() - start) / 1000;
  const result = { pictures: files.length, megabytes: files.reduce((sum, { file }) => sum + fs.statSync(file).size, 0) / 1e6, wall_s: wall, cpu_s: used, peak_mib: peakMiB(pid), stages: stageTimes(before, await worker.metrics()) };
  if (profile) result.profile = await profile.stop();
  return result;
}

const percent = (part, whole) => `${(100 * part / whole).toFixed(1)} %`;

function report(result) {
  say(`${result.pictures} pictures of 12 megapixels, ${result.megabytes.toFixed(1)} MB, in ${result.wall_s.toFixed(1)} s`);
  say(`worker: ${(1000 * result.cpu_s / result.pictures).toFixed(1)} ms of CPU a picture, at most ${result.peak_mib.toFixed(0)} MiB in memory`);
  say('\nstage       items batches   process ms/item   queue ms/item');
  for (const { stage, items, batches, process_s, queue_s } of result.stages)
    say(`${stage.padEnd(10)} ${String(items).padStart(6)} ${String(batches).padStart(7)} ${(1000 * process_s / items).toFixed(2).padStart(17)} ${(1000 * queue_s / items).toFixed(2).padStart(15)}`);
  const { profile } = result;
  if (!profile) return say('\nno perf here: the shares of CPU time were not measured');
  const largest = (counts, n) => Object.entries(counts).sort((a, b) => b[1] - a[1]).slice(0, n);
  say(`\nCPU time, by ${profile.samples} samples`);
  for (const [name, samples] of Object.entries(profile.owners)) say(`  ${name.padEnd(10)} ${percent(samples, profile.samples).padStart(7)}`);
  say(`  (${percent(profile.byThread, profile.samples)} put down by their thread, because their stack could not be read)`);
  say('by thread');
  for (const [name, samples] of largest(profile.threads, 8)) say(`  ${percent(samples, profile.samples).padStart(7)}  ${name}`);
  say('ours, by function > what it was in');
  for (const [name, samples] of largest(profile.functions, 16)) say(`  ${percent(samples, profile.samples).padStart(7)}  ${name}`);
}

async function main() {
  const files = pictures(), store = Store.start();
  let worker;
  try {
    setUp(store);
    worker = new Worker(store, { groups: 'images' }).start();
    await worker.ready();
    submit(store, files.slice(0, warm * views));
    await identified(store, worker, warm);
    const result = await measure(store, worker, files.slice(warm * views));
    if (options.json) console.log(JSON.stringify(result));
    report(result);
    if (result.profile) {
      const share = 100 * result.profile.owners.ours / result.profile.samples;
      say(`\n${share.toFixed(1)} % is neither libvips nor the backend; at most ${most} % are wanted`);
      process.exitCode = share <= most ? 0 : 1;
    }
  } finally {
    if (worker) { await worker.stop(); worker.remove(); }
    store.stop();
  }
}

main().catch((error) => { console.error(error.message); process.exit(2); });
