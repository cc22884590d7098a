#!/usr/bin/env node
'use strict';
/* The embedded document store: a supervisor around one inner process that serves CouchDB's HTTP API.
 *
 *   node store.js --dir DIR --admin user:password [--port N] [--quiet]
 *
 * Prints its URL (without credentials) on the first line of stdout once it answers, then nothing but the notice of
 * every restart on stderr. Listens on the loopback only. The inner process is started again, on the same port, when it
 * dies or stops answering; SIGTERM and SIGINT end both cleanly; the inner process never outlives this one. */
const { fork } = require('child_process');
const path = require('path');
const { parseArguments } = require('./lib/arguments');

const PING_EVERY_MS = 5000;
const SILENT_FOR_MS = 60000;
const RESTART_FIRST_MS = 100;
const RESTART_MOST_MS = 5000;
const STOP_WITHIN_MS = 10000;
const LOCKED = 75; // the inner process found a lock held: by a killed predecessor, which is going
const LOCKED_RETRY_MS = 100;
const LOCKED_TRIES = 100;

class Supervisor {
  constructor(options) {
    this.options = options;
    this.port = options.port;
    this.child = null;
    this.stopping = false;
    this.announced = false;
    this.delay = RESTART_FIRST_MS;
    this.locked = 0;
  }

  start() {
    const child = fork(path.join(__dirname, 'lib', 'server.js'), [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.child = child;
    this.heard = Date.now();
    child.on('message', (message) => this.message(message));
    child.on('exit', (code, signal) => this.exited(code, signal));
    child.send({ start: { ...this.options, port: this.port } });
    clearInterval(this.pings);
    this.pings = setInterval(() => this.ping(), PING_EVERY_MS);
  }

  message(message) {
    this.heard = Date.now();
    if (!message.listening) return;
    this.port = message.listening; // the same one after a restart
    this.up = Date.now();
    if (!this.announced) process.stdout.write(`http://127.0.0.1:${this.port}\n`);
    this.announced = true;
  }

  ping() {
    if (Date.now() - this.heard > SILENT_FOR_MS) {
      this.note(`no answer for ${SILENT_FOR_MS / 1000} s: killing the inner process`);
      this.child.kill('SIGKILL');
    } else if (this.child.connected) {
      this.child.send({ ping: true }, () => {});
    }
  }

  exited(code, signal) {
    clearInterval(this.pings);
    if (this.stopping) {
      clearTimeout(this.killer);
      process.exitCode = code === 0 ? 0 : 1;
      return;
    }
    if (!this.announced && code === LOCKED && ++this.locked < LOCKED_TRIES) {
      this.restart = setTimeout(() => this.start(), LOCKED_RETRY_MS);
      return;
    }
    if (!this.announced) {
      process.exitCode = 1; // it has said why
      return;
    }
    if (this.up && Date.now() - this.up > 10 * RESTART_MOST_MS) this.delay = RESTART_FIRST_MS;
    this.up = 0;
    this.note(`the inner process ended (${signal || `status ${code}`}): starting it again in ${this.delay} ms`);
    this.restart = setTimeout(() => this.start(), this.delay);
    this.delay = Math.min(this.delay * 2, RESTART_MOST_MS);
  }

  stop() {
    if (this.stopping) return;
    this.stopping = true;
    clearTimeout(this.restart);
    if (!this.child || this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGTERM');
    this.killer = setTimeout(() => this.child.kill('SIGKILL'), STOP_WITHIN_MS);
  }

  note(text) {
    if (!this.options.quiet) process.stderr.write(`store: ${text}\n`);
  }
}

function main() {
  const { options, usage, status } = parseArguments(process.argv.slice(2));
  if (!options) {
    (status ? process.stderr : process.stdout).write(usage);
    process.exitCode = status;
    return;
  }
  const supervisor = new Supervisor(options);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => supervisor.stop());
  supervisor.start();
}

main();
