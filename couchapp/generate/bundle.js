'use strict';
/* Puts the design documents together: doors from validate/ and schemas/, views from design/. */
const crypto = require('crypto');
const fs = require('fs');
const path = require('path');
const { Checks } = require('./checks');

const HERE = path.join(__dirname, '..');
const SCHEMAS = path.join(HERE, '..', 'schemas');
const BY_THE_DOOR = ['kind', '_rev'];
const APP = '_design/app';

const access = () => JSON.parse(fs.readFileSync(path.join(HERE, 'access.json'), 'utf8'));

function readSchemas() {
  const files = fs.readdirSync(SCHEMAS).filter((name) => name.endsWith('.schema.json'));
  return Object.fromEntries(files.map((name) => [name, JSON.parse(fs.readFileSync(path.join(SCHEMAS, name), 'utf8'))]));
}

/* The text of a function without its comments: it is sent for every design document, run for every write. */
function source(fn) {
  return fn.toString().replace(/^\s*\/\*[\s\S]*?\*\/\n/gm, '').replace(/\n{2,}/g, '\n');
}

/* Put the parts in the place of their names: $name. */
function fill(text, parts) {
  return text.replace(/\$([a-z]+)\b/g, (all, name) => {
    if (parts[name] === undefined) throw new Error(`nothing fills ${all}`);
    return parts[name];
  });
}

/* The part of a pattern that any id of the main database has. */
const ANY_ID = '/^([0-7][0-9A-HJKMNP-TV-Z]{25}):([a-z][a-z0-9_-]{0,30})(?::(.+))?$/';

function mainDoor({ owners }, schemas) {
  const checks = new Checks(schemas);
  const table = Object.entries(owners).map(([kind, owner]) => {
    const check = checks.compile(schemas[`${kind}.schema.json`], BY_THE_DOOR);
    return `'${kind} ': { owner: '${owner}', immutable: ${kind === 'image'}, check: ${check} }`;
  });
  return fill(source(require('../validate/main')), { checkers: `{\n    ${table.join(',\n    ')}\n  }`, id: ANY_ID });
}

function referenceDoor({ kinds, worker }, schemas) {
  const required = kinds.map((kind) => {
    const names = schemas[`${kind}.schema.json`].required.filter((name) => !['_id', 'kind'].includes(name));
    return `'${kind} ': ${JSON.stringify(names)}`;
  });
  return fill(source(require('../validate/reference')), {
    required: `{ ${required.join(', ')} }`,
    kinds: kinds.join(', '),
    worker: JSON.stringify(worker),
  });
}

/* A view file exports map and perhaps reduce (a name of a built-in one). */
function readViews(folder) {
  const views = {};
  for (const file of fs.readdirSync(folder).sort()) {
    const { map, reduce } = require(path.join(folder, file));
    views[path.basename(file, '.js')] = { map: source(map), ...(reduce ? { reduce } : {}) };
  }
  return views;
}

/* A design document knows what it was made of, so that pushing it again writes nothing. */
function sealed(document) {
  const digest = crypto.createHash('sha256').update(JSON.stringify(document)).digest('hex');
  return { ...document, linnet: { digest } };
}

function designDocuments(name, settings, schemas) {
  const doors = { main: mainDoor, reference: referenceDoor };
  const common = settings.partitioned ? { options: { partitioned: false } } : {};
  const documents = [];
  if (doors[name]) {
    documents.push({ _id: '_design/door', language: 'javascript', ...common, validate_doc_update: doors[name](settings, schemas) });
  }
  const folder = path.join(HERE, 'design', name);
  for (const design of fs.readdirSync(folder).sort()) {
    documents.push({ _id: `_design/${design}`, language: 'javascript', ...common, views: readViews(path.join(folder, design)) });
  }
  return documents.map(sealed);
}

const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.png': 'image/png', '.woff2': 'font/woff2',
  '.json': 'application/json', '.webmanifest': 'application/manifest+json' };

/* The built web app (web/, by Vite) as the attachments of a design document. */
function webApp(folder) {
  const names = fs.readdirSync(folder, { recursive: true }).map(String).filter((name) => fs.statSync(path.join(folder, name)).isFile()).sort();
  const attachments = names.map((name) => {
    const type = TYPES[path.extname(name)];
    if (!type) throw new Error(`${name}: a file of no known type`);
    return [name.split(path.sep).join('/'), { content_type: type, data: fs.readFileSync(path.join(folder, name)).toString('base64') }];
  });
  return sealed({ _id: APP, options: { partitioned: false }, _attachments: Object.fromEntries(attachments) });
}

/* The policy that the app's page has, for a server whose attachments carry one of their own. A map's tiles are the page's matter. */
function policy() {
  const rules = JSON.parse(fs.readFileSync(path.join(HERE, 'web', 'policy.json'), 'utf8'));
  return [...Object.entries(rules).map(([name, value]) => `${name} ${value}${name === 'img-src' ? ' https:' : ''}`), "frame-ancestors 'none'"].join('; ');
}

/* `app`: the folder of the built web app, if it was built. Without it an app that stands in the store stays there. */
function bundle(app) {
  const schemas = readSchemas();
  const databases = {};
  for (const [name, settings] of Object.entries(access())) {
    const { suffix, partitioned, security } = settings;
    databases[name] = { suffix, partitioned, security, documents: designDocuments(name, settings, schemas) };
  }
  if (app) databases.main.documents.push(webApp(app));
  else databases.main.keep = [APP];
  return { format: 1, policy: policy(), system: ['_users', '_replicator', '_global_changes'], databases };
}

module.exports = { bundle, readSchemas };
