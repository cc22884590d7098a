'use strict';
/* What the app weighs. */
const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const zlib = require('node:zlib');
const { build } = require('../e2e/lib');

const FIRST_ROUTE = 150000; // bytes

test('the_first_route_weighs_less_than_150_kB_compressed_fonts_included', (t) => {
  const folder = path.join(build, 'web'), html = fs.readFileSync(path.join(folder, 'index.html'), 'utf8');
  const names = new Set(['index.html', ...[...html.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map(([, name]) => name)]);
  for (const name of [...names].filter((one) => one.endsWith('.css'))) {
    for (const [, font] of fs.readFileSync(path.join(folder, name), 'utf8').matchAll(/url\(\.\/([^)]+)\)/g)) names.add(path.join(path.dirname(name), font));
  }
  assert.ok([...names].some((name) => name.endsWith('.js')) && [...names].some((name) => name.endsWith('.woff2')), 'script and fonts are among it');
  const sizes = [...names].map((name) => (/woff2$/.test(name) ? fs.statSync(path.join(folder, name)).size : zlib.gzipSync(fs.readFileSync(path.join(folder, name))).length));
  const sum = sizes.reduce((a, b) => a + b);
  t.diagnostic(`first route: ${sum} bytes in ${names.size} files`);
  assert.ok(sum < FIRST_ROUTE, `${sum} bytes`);
});
