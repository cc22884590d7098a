'use strict';
/* From a JSON Schema to ES5 statements that forbid what does not fit: what the database's door checks.
 *
 * Straight-line code with literals, so that a validation costs no more than it must. A keyword that is not known here stops the
 * build: what is left to the workers is left on purpose. */

const LEFT_TO_WORKERS = ['if', 'then', 'else', 'not', 'anyOf', 'uniqueItems'];
const SAYS_NOTHING = ['$schema', '$id', '$comment', 'title', 'description', 'examples', 'format', 'contentEncoding', 'default'];
const CHECKED = ['type', 'const', 'enum', 'pattern', 'minLength', 'maxLength', 'minimum', 'maximum', 'exclusiveMinimum', 'items',
  'minItems', 'maxItems', 'properties', 'required', 'additionalProperties', 'propertyNames', 'maxProperties', 'minProperties'];

class Checks {
  /* `schemas`: name of the file -> schema, for references. */
  constructor(schemas) {
    this.schemas = schemas;
    this.counter = 0;
  }

  /* A function of one value, in ES5. `skip`: members that are checked elsewhere. */
  compile(schema, skip) {
    this.counter = 0;
    return `function (v) {\n${this.object(this.resolve(schema), 'v', '', skip).map((line) => `    ${line}`).join('\n')}\n  }`;
  }

  resolve(schema) {
    if (!schema.$ref) return this.known(schema);
    const [file, pointer] = schema.$ref.split('#/');
    const found = pointer.split('/').reduce((at, key) => at && at[key], this.schemas[file]);
    if (!found) throw new Error(`nothing is at ${schema.$ref}`);
    const { $ref, ...beside } = schema;
    return { ...this.resolve(found), ...this.known(beside) };
  }

  known(schema) {
    const unknown = Object.keys(schema).filter((key) => ![...CHECKED, ...LEFT_TO_WORKERS, ...SAYS_NOTHING].includes(key));
    if (unknown.length) throw new Error(`the database cannot check "${unknown}"`);
    return schema;
  }

  /* Statements for the value of expression `at`, called `label` in what is said. */
  value(given, at, label) {
    const schema = this.resolve(given);
    const types = [].concat(schema.type || []);
    if (types.includes('null')) {
      const inner = this.value({ ...schema, type: types.filter((type) => type !== 'null') }, at, label);
      return [`if (${at} !== null) {`, ...indent(inner), '}'];
    }
    if (schema.const !== undefined) return [need(`${at} === ${literal(schema.const)}`, `${label} must be ${literal(schema.const)}`)];
    if (schema.enum) return [need(`${literal(schema.enum)}.indexOf(${at}) >= 0`, `${label} must be one of ${schema.enum.join(', ')}`)];
    if (types.length !== 1) return [];
    const by = { string: 'text', number: 'number', integer: 'number', boolean: 'truth', array: 'array', object: 'object' };
    return this[by[types[0]]](schema, at, label);
  }

  text(schema, at, label) {
    const tests = [`typeof ${at} === 'string'`];
    if (schema.minLength) tests.push(`${at}.length >= ${schema.minLength}`);
    if (schema.maxLength) tests.push(`${at}.length <= ${schema.maxLength}`);
    if (schema.pattern) tests.push(`/${schema.pattern.replace(/\//g, '\\/')}/.test(${at})`);
    return [need(tests.join(' && '), `${label} is malformed`)];
  }

  number(schema, at, label) {
    const tests = [`typeof ${at} === 'number'`];
    if (schema.type === 'integer' || schema.type[0] === 'integer') tests.push(`Math.floor(${at}) === ${at}`);
    if (schema.minimum !== undefined) tests.push(`${at} >= ${schema.minimum}`);
    if (schema.exclusiveMinimum !== undefined) tests.push(`${at} > ${schema.exclusiveMinimum}`);
    if (schema.maximum !== undefined) tests.push(`${at} <= ${schema.maximum}`);
    return [need(tests.join(' && '), `${label} is out of range`)];
  }

  truth(schema, at, label) {
    return [need(`typeof ${at} === 'boolean'`, `${label} must be true or false`)];
  }

  array(schema, at, label) {
    const tests = [`Array.isArray(${at})`];
    if (schema.minItems) tests.push(`${at}.length >= ${schema.minItems}`);
    if (schema.maxItems) tests.push(`${at}.length <= ${schema.maxItems}`);
    const lines = [need(tests.join(' && '), `${label} must be a list of ${range(schema.minItems || 0, schema.maxItems)}`)];
    if (schema.items) lines.push(...this.each(`${at}.forEach(function (I) {`, schema.items, label));
    return lines;
  }

  each(opening, schema, label) {
    const name = `i${++this.counter}`;
    const inner = this.value(schema, name, `${label}[]`);
    return inner.length ? [opening.replace('I', name), ...indent(inner), '});'] : [];
  }

  object(schema, at, label, skip = []) {
    const where = (key) => (label ? `${label}.${key}` : key);
    const lines = label ? [need(`plain(${at})`, `${label} must be an object`)] : [];
    const required = (schema.required || []).filter((key) => !skip.includes(key));
    if (required.length) lines.push(`has(${at}, ${literal(required)}, ${literal(label)});`);
    if (schema.maxProperties) lines.push(need(`Object.keys(${at}).length <= ${schema.maxProperties}`, `${label} has too many members`));
    for (const [key, child] of Object.entries(schema.properties || {})) {
      if (skip.includes(key)) continue;
      const member = /^[a-z_]\w*$/i.test(key) ? `${at}.${key}` : `${at}[${literal(key)}]`;
      const inner = this.value(child, member, where(key));
      if (required.includes(key)) lines.push(...inner);
      else if (inner.length) lines.push(`if (${member} !== undefined) {`, ...indent(inner), '}');
    }
    return [...lines, ...this.others(schema, at, label)];
  }

  /* Members that the schema doesn't name. */
  others(schema, at, label) {
    if (schema.additionalProperties === false) {
      const names = Object.keys(schema.properties || {});
      return this.members(at, (key) => [need(`${literal(names)}.indexOf(${key}) >= 0`, `${label} has a member that it may not have`)]);
    }
    if (!schema.propertyNames && !schema.additionalProperties) return [];
    return this.members(at, (key) => [
      ...(schema.propertyNames ? this.value({ type: 'string', ...this.resolve(schema.propertyNames) }, key, `${label}: a name`) : []),
      ...(schema.additionalProperties ? this.value(schema.additionalProperties, `${at}[${key}]`, `${label}.*`) : []),
    ]);
  }

  members(at, lines) {
    const key = `k${++this.counter}`;
    return [`Object.keys(${at}).forEach(function (${key}) {`, ...indent(lines(key)), '});'];
  }
}

const range = (least, most) => (least === most ? `${most}` : `${least} to ${most === undefined ? 'more' : most}`);
const indent = (lines) => lines.map((line) => `  ${line}`);
const literal = (value) => JSON.stringify(value);
const need = (test, why) => `if (!(${test})) forbid(${literal(why)});`;

module.exports = { Checks };
