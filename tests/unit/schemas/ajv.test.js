'use strict';
/* The schemas and their examples judged by ajv: what our own validator says must not be a matter of taste. */
const { test } = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const Ajv2020 = require('ajv/dist/2020');

const FOLDER = path.join(__dirname, '..', '..', '..', 'schemas');
const SUFFIX = '.schema.json';

const read = (...where) => JSON.parse(fs.readFileSync(path.join(FOLDER, ...where), 'utf8'));
const list = (folder, suffix) => fs.readdirSync(path.join(FOLDER, folder)).filter((name) => name.endsWith(suffix)).sort();
const kindOf = (name) => name.replace(/[-.].*$/, '');

const schemas = new Map(list('.', SUFFIX).map((name) => [name.slice(0, -SUFFIX.length), read(name)]));
const kinds = [...schemas].filter(([, schema]) => schema.properties && schema.properties.kind).map(([name]) => name);
const ajv = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false, strictTuples: false, validateFormats: false, allErrors: true });
for (const schema of schemas.values()) ajv.addSchema(schema);

const validator = (kind) => ajv.getSchema(`${kind}${SUFFIX}`);

/* Every schema below one, with its place. */
function* within(schema, place) {
  if (schema === null || typeof schema !== 'object') return;
  yield [place, schema];
  for (const key of ['items', 'additionalProperties', 'propertyNames', 'not', 'if', 'then', 'else']) yield* within(schema[key], `${place}/${key}`);
  for (const key of ['properties', '$defs']) {
    for (const [name, child] of Object.entries(schema[key] || {})) yield* within(child, `${place}/${key}/${name}`);
  }
  for (const key of ['allOf', 'anyOf', 'oneOf', 'prefixItems']) {
    for (const [index, child] of (schema[key] || []).entries()) yield* within(child, `${place}/${key}/${index}`);
  }
}

test('schemas_are_schemas', () => {
  for (const [name, schema] of schemas) {
    assert.equal(schema.$id, `${name}${SUFFIX}`);
    assert.ok(ajv.validateSchema(schema), `${name}: ${ajv.errorsText()}`);
    assert.ok(validator(name), name);
  }
});

test('every_field_is_described', () => {
  for (const name of kinds) {
    for (const [place, schema] of within(schemas.get(name), name)) {
      for (const [field, child] of Object.entries(schema.properties || {})) {
        const rule = /\/(if|then|else)$/.test(place);
        assert.ok(rule || child.description || child.$ref, `${place}: ${field} has no description`);
      }
    }
  }
});

test('every_kind_has_examples_that_hold_and_some_that_do_not', () => {
  const valid = list('examples', '.json').map(kindOf);
  const invalid = list('examples/invalid', '.json').map(kindOf);
  for (const kind of kinds) {
    assert.ok(valid.includes(kind), `${kind} has no example`);
    assert.ok(invalid.includes(kind), `${kind} has no invalid example`);
    assert.ok(schemas.get(kind).examples.length > 0);
    for (const example of schemas.get(kind).examples) assert.ok(validator(kind)(example), `${kind}: ${ajv.errorsText(validator(kind).errors)}`);
  }
});

test('examples_hold', () => {
  for (const name of list('examples', '.json')) {
    const check = validator(kindOf(name));
    assert.ok(check(read('examples', name)), `${name}: ${ajv.errorsText(check.errors)}`);
  }
});

test('invalid_examples_are_refused', () => {
  for (const name of list('examples/invalid', '.json')) {
    assert.equal(validator(kindOf(name))(read('examples/invalid', name)), false, name);
  }
});
