// bench.js NN_RUN FOLDER [--batch N] [--rounds N] [--networks A,B@SIZE] [--no-start] [--int8] [--json]: see run.sh.
// bench.js --start FILE SIZE: what ONNX Runtime takes to load a network and run one picture, in milliseconds of CPU time.
'use strict';
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const ort = require('onnxruntime-node');

const SIZES = { inception_v3: 299, dinov2_vits14: 518, dinov2_vitb14: 518 };
const sizeOf = (name) => Number(name.split('@')[1] || SIZES[name] || 224);
const cpu = () => process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000;

const [program, folder, ...rest] = process.argv.slice(2);
const option = (name, fallback) => (rest.includes(name) ? rest[rest.indexOf(name) + 1] : fallback);
const batch = Number(option('--batch', 8));
const rounds = Number(option('--rounds', 5));
const names = option('--networks', 'resnet50,inception_v3,efficientnet_b0,mobilenet_v3_large,googlenet,densenet121').split(',');

// Pictures: numbers of a normal distribution (Box and Muller), the same in every run.
function pictures(size, count) {
  const values = new Float32Array(count * 3 * size * size);
  let state = 1;
  const random = () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) + 0.5) / 2 ** 32;
  for (let i = 0; i < values.length; i++) values[i] = Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
  return values;
}

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

// One round of ours: outputs, and milliseconds of CPU time for a batch (the median of five).
function ours(file, input, precision) {
  const run = spawnSync(program, [file, String(batch), precision, '5'], { input: Buffer.from(input.buffer), maxBuffer: 1 << 28 });
  if (run.status !== 0) return { words: run.stderr.toString().trim() };
  const output = new Float32Array(run.stdout.buffer.slice(run.stdout.byteOffset, run.stdout.byteOffset + run.stdout.length));
  return { output, ms: Number(/median .*\(([\d.]+) ms of CPU\)/.exec(run.stderr.toString())[1]), device: run.stderr.toString().split(':')[0] };
}

async function theirs(session, input, size) {
  const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', input, [batch, 3, size, size]) };
  const times = [];
  await session.run(feeds);
  for (let i = 0; i < 5; i++) {
    const start = process.cpuUsage();
    await session.run(feeds);
    const used = process.cpuUsage(start);
    times.push((used.user + used.system) / 1000);
  }
  return { ms: median(times) };
}

// ONNX Runtime's answer to int8: the calibrated network as it runs such in integers (qdq.py).
async function theirsInEight(file) {
  const out = file.replace(/onnx$/, 'qdq.onnx');
  const run = spawnSync('/usr/bin/python3', [path.join(__dirname, 'qdq.py'), file, out]);
  if (run.status !== 0) throw new Error(run.stderr.toString());
  return { out, session: await ort.InferenceSession.create(out, { intraOpNumThreads: 1, interOpNumThreads: 1 }) };
}

// The network with the ranges of its values, made once, and what the roundings cost (nn_int8.c): int8's difference from f32 and the simulation's.
function calibrated(file) {
  const out = file.replace(/onnx$/, 'int8.onnx');
  const run = spawnSync(path.join(path.dirname(program), 'nn_int8'), [file, '4', '4', 'error', 'random', out], { maxBuffer: 1 << 28 });
  const [, error, simulated] = /int8 (\S+), simulated (\S+),/.exec(run.stdout.toString()) || [];
  if (!error) throw new Error(run.stderr.toString());
  return { out, error: Number(error), simulated: Number(simulated) };
}

// Milliseconds of CPU time from nothing to the first picture's outputs: each in a process of its own.
function starts(file, size, precision, theirs) {
  const run = spawnSync(program, [file, '1', precision, '0'], { input: Buffer.from(pictures(size, 1).buffer), maxBuffer: 1 << 28 });
  const peer = spawnSync(process.execPath, [__filename, '--start', theirs, String(size)], { maxBuffer: 1 << 28 });
  if (run.status !== 0 || peer.status !== 0) throw new Error(`${run.stderr}${peer.stderr}`);
  return { ours: Number(/started in .*\((\d+) ms of CPU\)/.exec(run.stderr.toString())[1]), peer: Number(peer.stdout) };
}

async function start(file, size) {
  const before = cpu();
  const session = await ort.InferenceSession.create(file, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  await session.run({ [session.inputNames[0]]: new ort.Tensor('float32', pictures(size, 1), [1, 3, size, size]) });
  console.log((cpu() - before).toFixed(0));
}

function difference(got, want) {
  let most = 0, worst = got.length >= want.length ? 0 : Infinity;
  for (let i = 0; i < want.length; i++) {
    most = Math.max(most, Math.abs(want[i]));
    worst = Math.max(worst, Math.abs(got[i] - want[i]));
  }
  return worst / most;
}

// The root mean square of the difference as a share of what is wanted.
function meanDifference(got, want) {
  let off = 0, all = 0;
  for (let i = 0; i < want.length; i++) {
    off += (got[i] - want[i]) ** 2;
    all += want[i] ** 2;
  }
  return Math.sqrt(off / all);
}

// What is right is taken from ONNX Runtime without its optimisations: with them 1.20 fuses a Pad into the AveragePool after it
// and forgets that the padding counts (Inception v3 is off by 6% then).
async function answerOf(file, input, size) {
  const session = await ort.InferenceSession.create(file, { intraOpNumThreads: 1, interOpNumThreads: 1, graphOptimizationLevel: 'disabled' });
  const answer = (await session.run({ [session.inputNames[0]]: new ort.Tensor('float32', input, [batch, 3, size, size]) }))[session.outputNames[0]].data;
  await session.release();
  return answer;
}

async function bench(name) {
  const size = sizeOf(name);
  const file = path.join(folder, `${name}.onnx`);
  const input = pictures(size, batch);
  const session = await ort.InferenceSession.create(file, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const wanted = await answerOf(file, input, size);
  const row = { name, f32: [], bf16: [], int8: [], ort: [], ortEight: [], start: [], startPeer: [], startEight: [], startEightPeer: [] };
  const eight = rest.includes('--int8') ? calibrated(file) : null, peerEight = eight && await theirsInEight(eight.out);
  for (let round = 0; round < rounds; round++) {
    const single = ours(file, input, 'f32'), half = ours(file, input, 'bf16'), peer = await theirs(session, input, size);
    if (!single.output) throw new Error(single.words);
    if (eight) {
      const run = ours(eight.out, input, 'int8');
      if (!run.output) throw new Error(run.words);
      row.int8.push(run.ms);
      row.ortEight.push((await theirs(peerEight.session, input, size)).ms);
    }
    row.f32.push(single.ms);
    if (half.output) row.bf16.push(half.ms);
    row.ort.push(peer.ms);
    if (!rest.includes('--no-start')) {
      const both = starts(file, size, 'f32', file);
      row.start.push(both.ours);
      row.startPeer.push(both.peer);
      if (eight) {
        const those = starts(eight.out, size, 'int8', peerEight.out);
        row.startEight.push(those.ours);
        row.startEightPeer.push(those.peer);
      }
    }
    row.device = single.device;
    row.error = difference(single.output, wanted);
    row.errorHalf = half.output ? difference(half.output, wanted) : null;
  }
  await session.release();
  // The file that is in integers already, by both: what is left is where they round.
  const imported = eight && ours(peerEight.out, input, 'int8');
  if (imported && !imported.output) throw new Error(imported.words);
  const answer = eight && await answerOf(peerEight.out, input, size);
  const errorImport = eight && meanDifference(imported.output, answer), errorPeerEight = eight && meanDifference(answer, wanted);
  const middle = (list) => (list.length ? median(list) : null);
  const rate = (list) => (list.length ? (batch * 1000) / median(list) : null);
  return { network: name, device: row.device, error: row.error, errorHalf: row.errorHalf, ort: rate(row.ort), f32: rate(row.f32), bf16: rate(row.bf16),
    int8: rate(row.int8), errorEight: eight && eight.error, simulatedEight: eight && eight.simulated,
    ortEight: rate(row.ortEight), errorImport, errorPeerEight, start: middle(row.start), startPeer: middle(row.startPeer), startEight: middle(row.startEight),
    startEightPeer: middle(row.startEightPeer) };
}

async function main() {
  const table = [], eight = rest.includes('--int8');
  for (const name of names) {
    const row = await bench(name);
    table.push(row);
    if (rest.includes('--json')) continue;
    if (table.length === 1) console.log(`${row.device}, batch ${batch}, pictures per second of CPU time\n${'network'.padEnd(20)}    ORT     f32  ratio    error    bf16  of ORT's  error   start  of ORT's${eight ? "    int8  of ORT's int8  of ORT's f32   error  simulated   start  of ORT's  imported (off ORT by, which is off f32 by)" : ''}`);
    const cell = (value, width, digits) => (value === null ? '-' : value.toFixed(digits)).padStart(width);
    const error = (value) => (value === null ? '-' : value.toExponential(1)).padStart(9);
    console.log(`${name.padEnd(20)}${cell(row.ort, 7, 1)} ${cell(row.f32, 7, 1)} ${cell(row.f32 / row.ort, 6, 2)}${error(row.error)} ${cell(row.bf16, 7, 1)} ${cell(row.bf16 && row.bf16 / row.ort, 7, 2)}${error(row.errorHalf)} ${cell(row.start, 7, 0)} ${cell(row.start && row.start / row.startPeer, 9, 2)}${eight ? ` ${cell(row.int8, 7, 1)} ${cell(row.int8 / row.ortEight, 14, 2)} ${cell(row.int8 / row.ort, 13, 2)}${error(row.errorEight)}  ${error(row.simulatedEight)} ${cell(row.startEight, 7, 0)} ${cell(row.startEight && row.startEight / row.startEightPeer, 9, 2)} ${error(row.errorImport)} ${error(row.errorPeerEight)}` : ''}`);
  }
  if (!rest.includes('--json')) {
    const mean = Math.exp(table.reduce((sum, row) => sum + Math.log(row.f32 / row.ort), 0) / table.length);
    console.log(`geometric mean of the ratios ${mean.toFixed(3)}; start: milliseconds of CPU time to the first picture's outputs`);
  }
  if (rest.includes('--json')) console.log(JSON.stringify({ batch, rounds, table }, null, 1));
  if (table.some((row) => !(row.error < 1e-4))) throw new Error('f32 differs from ONNX Runtime by more than 1e-4 of the maximum');
}

(program === '--start' ? start(folder, Number(rest[0])) : main()).catch((error) => {
  console.error(`bench.js: ${error.message}`);
  process.exit(1);
});
