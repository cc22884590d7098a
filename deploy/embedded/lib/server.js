'use strict';
/* The inner process: listens, serves, stops when told to, and never outlives its supervisor. */
const fs = require('fs');
const http = require('http');
const path = require('path');
const { createStore } = require('./store');

const BIND_TRIES = 100; // a killed predecessor may hold port and lock for a moment
const BIND_RETRY_MS = 100;
const LOCKED = 75; // the exit status that says so (EX_TEMPFAIL); store.js knows it

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/* Cookies must outlive a restart, so the key that signs them is kept beside the data. */
function keptSecret(dir) {
  const file = path.join(dir, 'secret');
  try {
    return fs.readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    const secret = require('crypto').randomBytes(32).toString('hex');
    fs.writeFileSync(file, `${secret}\n`, { mode: 0o600 });
    return secret;
  }
}

async function listen(server, port) {
  for (let tries = 1; ; tries++) {
    try {
      await new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, '127.0.0.1', () => {
          server.removeListener('error', reject);
          resolve();
        });
      });
      return server.address().port;
    } catch (error) {
      if (error.code !== 'EADDRINUSE' || tries >= BIND_TRIES) throw error;
      await wait(BIND_RETRY_MS);
    }
  }
}

async function openStore(options) {
  for (let tries = 1; ; tries++) {
    try {
      return await createStore(options);
    } catch (error) {
      const locked = /lock/i.test(`${error.message} ${error.reason || ''}`);
      if (!locked || tries >= BIND_TRIES) throw error;
      await wait(BIND_RETRY_MS);
    }
  }
}

async function start(options) {
  fs.mkdirSync(options.dir, { recursive: true, mode: 0o700 });
  const dir = fs.realpathSync(options.dir);
  const store = await openStore({ dir, admin: options.admin, secret: keptSecret(dir), quiet: options.quiet });
  const server = http.createServer({ keepAliveTimeout: 120000 }, store.app);
  server.on('clientError', (error, socket) => socket.destroy());
  const port = await listen(server, options.port);
  process.send({ listening: port });

  let stopping = false;
  process.on('SIGTERM', async () => {
    if (stopping) return;
    stopping = true;
    const closed = new Promise((resolve) => server.close(resolve));
    store.endFeeds();
    server.closeIdleConnections();
    await Promise.race([closed, wait(3000)]);
    server.closeAllConnections();
    await store.close();
    process.exit(0);
  });
}

process.on('SIGINT', () => {}); // a terminal's ^C reaches both; the supervisor decides
process.on('SIGHUP', () => {});
process.on('disconnect', () => process.exit(1)); // killed with its supervisor: port and lock are free at once
/* A database's lock that a predecessor still holds is thrown where nobody can catch it. */
process.on('uncaughtException', (error) => {
  if (/lock .*temporarily unavailable/i.test(error.message)) process.exit(LOCKED);
  process.stderr.write(`store: ${error.stack}\n`);
  process.exit(1);
});
process.on('message', (message) => {
  if (message.ping) process.send({ pong: true });
  if (!message.start) return;
  start(message.start).catch((error) => {
    process.stderr.write(`store: cannot start: ${error.reason || error.message}\n`);
    process.exit(1);
  });
});
