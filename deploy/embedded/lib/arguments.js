'use strict';
/* The command line of store.js. */

const USAGE = `usage: store.js --dir DIR --admin user:password [--port N] [--quiet]

  --dir DIR               where the databases live; made if it is not there
  --admin user:password   the server's admin; LINNET_STORE_ADMIN says it without showing it in the process list
  --port N                port on 127.0.0.1; 0 (the default) takes a free one
  --quiet                 no notices on stderr
`;

/* { options } or { usage, status }: the text to print and the exit status to end with. */
function parseArguments(list) {
  const options = { dir: '', admin: process.env.LINNET_STORE_ADMIN || '', port: 0, quiet: false };
  const refuse = (why) => ({ usage: `store.js: ${why}\n${USAGE}`, status: 2 });
  for (let i = 0; i < list.length; i++) {
    const [name, inline] = list[i].split(/=(.*)/s);
    if (name === '--help') return { usage: USAGE, status: 0 };
    if (name === '--quiet') {
      options.quiet = true;
      continue;
    }
    if (!['--dir', '--admin', '--port'].includes(name)) return refuse(`unknown option ${list[i]}`);
    const value = inline === undefined ? list[++i] : inline;
    if (value === undefined) return refuse(`${name} wants a value`);
    options[name.slice(2)] = value;
  }
  if (!options.dir) return refuse('--dir is missing');
  if (!/^[^:]+:.+$/s.test(options.admin)) return refuse('--admin wants user:password: without an admin anybody would be one');
  if (!/^\d{1,5}$/.test(String(options.port)) || Number(options.port) > 65535) return refuse('--port wants a number');
  options.port = Number(options.port);
  return { options };
}

module.exports = { parseArguments };
