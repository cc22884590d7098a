// storm.js BUILD SAMPLES [--requests N]: N requests, a third of them malformed in one of the ways of tests/e2e/serve_malformed.js, sixteen at a
// time: each the right answer, the process the same at the end, its memory no larger than after the first fifth by more than a tenth.
'use strict';
const path = require('node:path');

const [build, samples, ...rest] = process.argv.slice(2);
process.env.LINNET_BUILD_DIR = build;
const tests = path.resolve(__dirname, '../..');
const { Server, form, pictures, references } = require(path.join(tests, 'e2e/serve_lib'));
const total = rest.includes('--requests') ? Number(rest[rest.indexOf('--requests') + 1]) : 10000;
const rows = pictures(samples), wrongs = Object.entries(require(path.join(tests, 'e2e/serve_malformed'))(() => rows[0]));

(async () => {
  const server = new Server({ references: references(samples), config: { keys: { anonymous_daily: 0 }, log: { level: 'warn' } } }).start();
  await server.ready();
  const pid = server.process.pid, wrong = [], begin = Date.now();
  let next = 0, early = 0;
  await Promise.all(Array.from({ length: 16 }, async () => {
    for (let i; (i = next++) < total;) {
      const [name, [status, method, target, make]] = i % 3 ? ['good', [200, 'POST', '/v2/identify/all?no-reject=true', () => form([['images', { data: rows[i % rows.length].data }]])]] : wrongs[(i / 3) % wrongs.length];
      const answer = await server.ask(method, target, make()).catch((error) => ({ status: error.code }));
      if (answer.status !== status) wrong.push(`${name}: ${answer.status} instead of ${status}`);
      if (i === Math.floor(total / 5)) early = server.memory();
    }
  }));
  const late = server.memory(), peak = server.memory('VmHWM'), same = server.process.exitCode === null && server.process.pid === pid;
  const exit = await server.stop();
  console.log(`${total} requests in ${((Date.now() - begin) / 1000).toFixed(0)} s, ${wrong.length} wrongly answered; memory ${early.toFixed(0)} MiB after a fifth, ${late.toFixed(0)} at the end, ${peak.toFixed(0)} at most; ended with ${exit.code}`);
  for (const words of [...new Set(wrong)].slice(0, 10)) console.log(`  ${words}`);
  process.exitCode = wrong.length === 0 && same && exit.code === 0 && late < early * 1.1 + 8 ? 0 : 1;
})();
