'use strict';
/* Many at once, and a server that is held up: nobody is turned away for what is no fault of theirs. */
const test = require('node:test');
const assert = require('node:assert');
const fs = require('fs');
const net = require('net');
const { Server, draw, references } = require('./serve_lib');

const MANY = 1000, GET = 'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
const room = Number(fs.readFileSync('/proc/sys/net/core/somaxconn', 'utf8'));
let server;

test.before(async () => {
  server = new Server({ references: references(draw(6, 5)), config: { limits: { connections_per_address: 0 } } }).start();
  await server.ready();
});
test.after(async () => server?.stop());

const hold = () => process.kill(server.process.pid, 'SIGSTOP');
const letGo = () => process.kill(server.process.pid, 'SIGCONT');

/* A connection: `open` when it is made, `all` with every byte that came, rejected when it is reset. */
function connect() {
  const socket = net.connect(server.port, '127.0.0.1');
  let text = '';
  socket.on('data', (data) => { text += data; });
  const open = new Promise((resolve, reject) => { socket.once('connect', resolve); socket.once('error', reject); });
  const all = new Promise((resolve, reject) => { socket.once('close', () => resolve(text)); socket.once('error', reject); });
  all.catch(() => {});
  return { socket, open, all };
}

test('a_thousand_connections_wait_for_a_server_that_is_busy', { skip: room <= MANY && `the kernel lets ${room} wait`, timeout: 60000 }, async () => {
  hold();
  const list = Array.from({ length: MANY }, connect);
  await Promise.all(list.map((one) => one.open)); // a short queue leaves the rest to the kernel's retries, seconds apart
  for (const { socket } of list) socket.write(GET);
  letGo();
  for (const text of await Promise.all(list.map((one) => one.all))) assert.match(text, /^HTTP\/1.1 200/);
});
