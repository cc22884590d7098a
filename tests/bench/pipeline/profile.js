'use strict';
/* Where the CPU time of a process goes: sampled by perf with call stacks, each sample put down to what its innermost known frame
 * belongs to. What cannot be unwound is put down by the thread that it ran on. */
const { spawn, spawnSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');

/* libvips with all that works on its behalf, the ConvNet backend with its, and ours. The first that matches counts. */
const owners = [
  ['libvips', /^(libvips|vips-|libjpeg|libturbojpeg|libpng|libwebp|libsharpyuv|liborc|liblcms|libspng|libheif|libde265|libexif|libexpat|libgobject|libglib|libgthread|libgio|libffi|libimagequant)/],
  ['backend', /^(liblinnet-nn|libdnnl|libgomp|libcudnn|libcublas|libcudart|libcuda)/],
  ['ours', /^(linnet|libuv|libcurl|libjansson|libsodium|libnettle|libmicrohttpd|libnghttp2|libssl|libcrypto|libgnutls|libz)/],
];
/* Threads that do one owner's work alone, for stacks that end in code made at run time or in the kernel. */
const threads = [
  ['libvips', /^libvips worker/],
  ['backend', /^(convnet|dnnl|omp)/],
  ['libvips', /^normalize/],
];

function available() {
  return spawnSync('perf', ['record', '-e', 'cpu-clock', '-o', '/dev/null', 'true'], { stdio: 'ignore' }).status === 0;
}

class Profile {
  /* Sample `pid` and its threads until stop(). */
  constructor(pid, hertz = 199) {
    this.file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'linnet-perf-')), 'data');
    this.process = spawn('perf', ['record', '-q', '-e', 'cpu-clock', '-F', String(hertz), '--call-graph', 'dwarf,24576', '-p', String(pid), '-o', this.file], { stdio: 'ignore' });
    this.ended = new Promise((resolve) => this.process.on('exit', resolve));
  }

  /* End sampling; returns samples by owner, by thread, and ours by the innermost function of ours. */
  async stop() {
    this.process.kill('SIGINT');
    await this.ended;
    const script = spawnSync('perf', ['script', '-i', this.file, '-F', 'comm,tid,ip,sym,dso', '--no-inline'], { encoding: 'utf8', maxBuffer: 1 << 30 });
    fs.rmSync(path.dirname(this.file), { recursive: true, force: true });
    return attribute(script.stdout);
  }
}

/* One block a sample: a line with thread and tid, then a line a frame, innermost first: address, symbol, (object). */
function parse(block) {
  const [head, ...lines] = block.split('\n');
  const frames = lines.map((line) => /^\s*[0-9a-f]+ (.*) \(([^()]*)\)\s*$/.exec(line)).filter(Boolean).map(([, symbol, object]) => ({ symbol: symbol.replace(/\+0x[0-9a-f]+$/, ''), object: path.basename(object) }));
  return { thread: head.trim().replace(/\s+\d+\s*$/, ''), frames };
}

function owner(sample) {
  for (const frame of sample.frames) {
    const found = owners.find(([, objects]) => objects.test(frame.object));
    if (found) return [found[0], frame];
  }
  const found = threads.find(([, names]) => names.test(sample.thread));
  return [found ? found[0] : 'ours', sample.frames[0], true];
}

function attribute(text) {
  const result = { samples: 0, byThread: 0, owners: { libvips: 0, backend: 0, ours: 0 }, threads: {}, functions: {} };
  for (const block of text.split(/\n\s*\n/)) {
    if (!block.trim()) continue;
    const sample = parse(block);
    const [name, frame, byThread] = owner(sample);
    result.samples++;
    if (byThread) result.byThread++;
    result.owners[name]++;
    result.threads[sample.thread] = (result.threads[sample.thread] || 0) + 1;
    if (name !== 'ours') continue;
    const leaf = sample.frames[0], where = frame ? `${frame.object}: ${frame.symbol}${leaf && leaf !== frame ? ` > ${leaf.symbol}` : ''}` : '?';
    result.functions[where] = (result.functions[where] || 0) + 1;
  }
  return result;
}

module.exports = { Profile, attribute, available, owners, threads };
