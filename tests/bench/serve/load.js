// load.js BUILD SAMPLES WORK [--model inception-v3|flora-inception] [--seconds N] [--rounds N] [--no-peer]
// [--json]: see run.sh.
'use strict';
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');

const [build, samples, work, ...rest] = process.argv.slice(2);
process.env.LINNET_BUILD_DIR = build;
const here = __dirname, tests = path.resolve(here, '../..');
const { freePort, modelFolder } = require(path.join(tests, 'e2e/lib'));
const {form, pictures} = require(path.join(tests, 'e2e/serve_lib'));
const option = (name, fallback) => (rest.includes(name) ? Number(rest[rest.indexOf(name) + 1]) : fallback);
const seconds = option('--seconds', 10), rounds = option('--rounds', 3);
const model = rest.includes('--model') ? rest[rest.indexOf('--model') + 1] : 'inception-v3';
/* The network and its description: made by export.py, or the small one of the tests. */
const [network, description] =
    model === 'flora-inception'
        ? [ path.join(modelFolder, 'flora-inception.onnx'), path.join(modelFolder, 'model.json') ]
        : [ path.join(work, model, 'model.onnx'), path.join(work, model, 'model.json') ];
const forms = pictures(samples).map((row) => form([['images', { data: row.data }]]));
const ticks = 100; // of /proc/PID/stat, a second
const at = (list, q) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(q * list.length))];
const median = (list) => at(list, 0.5);

/* Backbone, floras and the model, as a folder of reference documents. */
function references() {
    const folder = path.join(work, 'references');
    fs.rmSync(folder, {recursive : true, force : true});
    fs.cpSync(path.join(samples, 'backbone'), folder, {recursive : true});
    fs.writeFileSync(
        path.join(folder, 'model.json'),
        JSON.stringify(
            {...JSON.parse(fs.readFileSync(description, 'utf8')), _attachments : {'model.onnx' : {}}}));
    fs.mkdirSync(path.join(folder, 'model'));
    fs.symlinkSync(network, path.join(folder, 'model/model.onnx'));
    return folder;
}

class Target {
  constructor(name, command, args) {
    this.name = name;
    const log = fs.openSync(path.join(work, `${name}.log`), 'w');
    this.process = spawn(command, args, { stdio: ['ignore', log, log] });
    this.agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
  }
  async ready() {
    for (let i = 0; i < 600; i++) {
      try { if ((await fetch(`http://127.0.0.1:${this.port}/readyz`)).status === 200) return this; } catch { /* not yet */ }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`${this.name} is not ready; see ${work}/${this.name}.log`);
  }
  cpu() { const fields = fs.readFileSync(`/proc/${this.process.pid}/stat`, 'utf8').split(') ')[1].split(' '); return (Number(fields[11]) + Number(fields[12])) / ticks; }
  memory() { return Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync(`/proc/${this.process.pid}/status`, 'utf8'))[1]) / 1024; }
  ask(i) {
    const { headers, body } = forms[i % forms.length], begin = process.hrtime.bigint();
    return new Promise((resolve, reject) => {
      const request = http.request({ host: '127.0.0.1', port: this.port, agent: this.agent, method: 'POST', path: '/v2/identify/all?nb-results=5&no-reject=true'.slice(0, this.name === 'peer' ? 16 : undefined), headers: { ...headers, 'content-length': body.length } }, (response) => {
        response.resume();
        response.on('end', () => resolve({ status: response.statusCode, ms: Number(process.hrtime.bigint() - begin) / 1e6, timing: Object.fromEntries([...(response.headers['server-timing'] || '').matchAll(/(\w+);dur=([\d.]+)/g)].map(([, name, ms]) => [name, Number(ms)])) }));
      });
      request.on('error', reject);
      request.end(body);
    });
  }
  stop() { this.process.kill('SIGTERM'); }
}

/* As many requests as eight clients can have answered, one after the other. */
async function closed(target) {
  const end = Date.now() + seconds * 1000, before = target.cpu(), begin = Date.now();
  let n = 0;
  await Promise.all(Array.from({ length: 8 }, async () => {
    while (Date.now() < end) {
      const answer = await target.ask(n++);
      if (answer.status !== 200) throw new Error(`${target.name}: ${answer.status}`);
    }
  }));
  return { rate: (n * 1000) / (Date.now() - begin), cpu_ms: ((target.cpu() - before) * 1000) / n };
}

/* Requests at random times (a Poisson process), whether or not the ones before are answered. */
async function open(target, rate) {
  const asked = [], end = Date.now() + 2 * seconds * 1000;
  for (let next = Date.now(), i = 0; next < end; i++) {
    next += (-Math.log(1 - Math.random()) / rate) * 1000;
    const wait = next - Date.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    asked.push(target.ask(i));
  }
  const answers = await Promise.all(asked), beyond = answers.map(({ ms, timing }) => ms - (timing.normalize || 0) - (timing.convnet || 0));
  const own = answers.map(({ timing }, i) => beyond[i] - (timing.wait || 0));
  return { n: answers.length, wrong: answers.filter(({ status }) => status !== 200).length, p50: median(answers.map(({ ms }) => ms)), p99: at(answers.map(({ ms }) => ms), 0.99), beyond_p50: median(beyond), beyond_p99: at(beyond, 0.99), own_p50: median(own), own_p99: at(own, 0.99) };
}

(async () => {
  const port = freePort(), config = path.join(work, 'serve.json');
  fs.writeFileSync(config, JSON.stringify({
      listen : `127.0.0.1:${port}`,
      references : references(),
      cache_dir : work,
      keys : {anonymous_daily : 0},
      log : {level : 'warn'}
  }));
  const ours = new Target('linnet', path.join(build, 'bin/linnet'), ['serve', '--config', config]), targets = [ours];
  ours.port = port;
  if (!rest.includes('--no-peer')) {
      const peer = new Target('peer', process.execPath,
                              [ path.join(work, 'peer.js'), network, description, String(freePort()) ]);
      peer.port = Number(peer.process.spawnargs[peer.process.spawnargs.length - 1]);
      targets.push(peer);
  }
  const result = {model : `${model}, f32`, cores : os.cpus().length, load : os.loadavg()[0], rounds : []};
  try {
    for (const target of targets) await target.ready();
    for (const target of targets) for (let i = 0; i < forms.length; i++) await target.ask(i);
    for (let round = 0; round < rounds; round++) result.rounds.push(Object.fromEntries(await targets.reduce(async (list, target) => [...(await list), [target.name, await closed(target)]], [])));
    for (const target of targets) result[target.name] = { rate: median(result.rounds.map((round) => round[target.name].rate)), cpu_ms: median(result.rounds.map((round) => round[target.name].cpu_ms)) };
    result.linnet.open = await open(ours, 0.7 * result.linnet.rate);
    for (const target of targets) result[target.name].memory_mib = target.memory();
  } finally {
    for (const target of targets) target.stop();
  }
  if (rest.includes('--json')) { console.log(JSON.stringify(result)); return; }
  console.log(`${result.model}; ${result.cores} cores, load ${result.load.toFixed(1)} at the beginning; ${rounds} rounds of ${seconds} s in turns, 8 clients`);
  for (const target of targets) { const { rate, cpu_ms: cpu, memory_mib: memory } = result[target.name]; console.log(`  ${target.name.padEnd(8)} ${rate.toFixed(1)} identifications/s, ${cpu.toFixed(1)} ms of CPU each, ${memory.toFixed(0)} MiB at most`); }
  if (result.peer) console.log(`  ratios   ${(result.linnet.rate / result.peer.rate).toFixed(2)} times the identifications/s, ${(result.peer.cpu_ms / result.linnet.cpu_ms).toFixed(2)} times per CPU-second, ${(result.linnet.memory_mib / result.peer.memory_mib).toFixed(2)} of the memory`);
  const { n, wrong, p50, p99, beyond_p50: b50, beyond_p99: b99, own_p50: o50, own_p99: o99 } = result.linnet.open;
  console.log(`  open loop at 70% of that: ${n} requests, ${wrong} not answered with 200; ${p50.toFixed(1)} ms at the median, ${p99.toFixed(1)} at the 99th percentile;`);
  console.log(`  beyond normalize and convnet ${b50.toFixed(1)} and ${b99.toFixed(1)} ms; of these not waiting for their turn ${o50.toFixed(1)} and ${o99.toFixed(1)} ms`);
})().catch((error) => { console.error(error.message); process.exitCode = 1; });
