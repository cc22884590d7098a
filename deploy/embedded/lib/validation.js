'use strict';
/* validate_doc_update, run as CouchDB runs it: compiled once per design document, given the document with its
 * attachments as stubs, the one that it replaces, who writes, and the database's security object. */
const vm = require('vm');

const HELPERS = `var isArray = Array.isArray, toJSON = JSON.stringify;
function log() {}
function sum(list) { return list.reduce(function (a, b) { return a + b; }, 0); }`;

function compile(source, id) {
  const context = vm.createContext(Object.create(null), { codeGeneration: { strings: false, wasm: false } });
  vm.runInContext(HELPERS, context);
  return vm.runInContext(`(${source.replace(/;\s*$/, '')})`, context, { filename: id });
}

/* What a validation function sees of attachments: never the bytes. */
function stubbed(attachments) {
  const stubs = {};
  for (const [name, attachment] of Object.entries(attachments)) {
    const { data, follows, ...rest } = attachment;
    stubs[name] = { ...rest, stub: true };
    if (typeof data === 'string') stubs[name].length = Buffer.byteLength(data, 'base64');
    else if (data) stubs[name].length = data.length;
  }
  return stubs;
}

function visible(document) {
  if (!document._attachments) return { ...document };
  return { ...document, _attachments: stubbed(document._attachments) };
}

class Validation {
  constructor() {
    this.compiled = new Map(); // database name -> Promise of functions
  }

  forget(name) {
    this.compiled.delete(name);
  }

  functions(name, db) {
    if (!this.compiled.has(name)) {
      const loading = this.load(db);
      loading.catch(() => this.forget(name));
      this.compiled.set(name, loading);
    }
    return this.compiled.get(name);
  }

  async load(db) {
    const { rows } = await db.allDocs({ startkey: '_design/', endkey: '_design0', include_docs: true });
    return rows
      .filter((row) => typeof row.doc.validate_doc_update === 'string')
      .map((row) => compile(row.doc.validate_doc_update, row.id));
  }

  /* null, or what to answer for this document. */
  verdict(functions, document, replaced, userCtx, security) {
    const seen = visible(document);
    const old = replaced && visible(replaced);
    try {
      for (const run of functions) run(seen, old, userCtx, security);
    } catch (thrown) {
      if (thrown && thrown.unauthorized !== undefined) return { error: 'unauthorized', reason: thrown.unauthorized, status: 401 };
      if (thrown && thrown.forbidden !== undefined) return { error: 'forbidden', reason: thrown.forbidden, status: 403 };
      return { error: 'forbidden', reason: `validation failed: ${thrown && thrown.message}`, status: 403 };
    }
    return null;
  }
}

module.exports = { Validation };
