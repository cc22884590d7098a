#!/usr/bin/env node
'use strict';
/* build.js FILE [APP]: write everything that `linnet init` pushes as one JSON file, with the web app if the folder APP holds its build. */
const fs = require('fs');
const path = require('path');
const { bundle } = require('./generate/bundle');

const [, , out, app] = process.argv;
if (!out) {
  process.stderr.write('usage: build.js FILE [APP]\n');
  process.exit(2);
}
const built = app && fs.existsSync(path.join(app, 'index.html'));
fs.writeFileSync(out, `${JSON.stringify(bundle(built ? app : undefined), null, 2)}\n`);
