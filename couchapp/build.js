#!/usr/bin/env node
'use strict';
/* build.js FILE: write everything that `linnet init` pushes as one JSON file. */
const fs = require('fs');
const { bundle } = require('./generate/bundle');

const [, , out] = process.argv;
if (!out) {
  process.stderr.write('usage: build.js FILE\n');
  process.exit(2);
}
fs.writeFileSync(out, `${JSON.stringify(bundle(), null, 2)}\n`);
