'use strict';
/* The page at /docs: openapi.json, made readable. */
const at = (id) => document.getElementById(id);

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made[key] = value;
  made.append(...children);
  return made;
}

/* What a $ref stands for. */
const resolve = (api, value) => (value && value.$ref ? value.$ref.slice(2).split('/').reduce((part, key) => part[key], api) : value);

function typeOf(schema = {}) {
  if (schema.$ref) return schema.$ref.split('/').pop();
  if (schema.enum) return schema.enum.join(' | ');
  if (schema.type === 'array') return `[${typeOf(schema.items)}]`;
  return [].concat(schema.type || 'any').join(' | ') + (schema.default !== undefined ? ` (${schema.default})` : '');
}

function table(head, rows) {
  return element('table', {}, element('thead', {}, element('tr', {}, ...head.map((text) => element('th', {}, text)))),
    element('tbody', {}, ...rows.map((row) => element('tr', {}, ...row.map((text) => element('td', {}, text || ''))))));
}

function endpoint(api, path, method, what) {
  const section = element('section', {}, element('h2', {}, element('code', {}, `${method.toUpperCase()} ${path}`)), element('p', {}, `${what.summary}. ${what.description || ''}`));
  const rows = (what.parameters || []).map((one) => resolve(api, one)).map((one) => [one.name, one.in, typeOf(one.schema), one.description]);
  for (const [type, { schema }] of Object.entries((what.requestBody || {}).content || {})) {
    for (const [name, part] of Object.entries(resolve(api, schema).properties || {})) rows.push([name, type, typeOf(part), part.description]);
  }
  if (rows.length) section.append(table(['Parameter', 'In', 'Type', 'Meaning'], rows));
  section.append(table(['Status', 'Answer', 'Meaning'], Object.entries(what.responses).map(([status, one]) => {
    const answer = resolve(api, one), content = Object.entries(answer.content || {})[0];
    return [status, content ? typeOf(content[1].schema || { type: content[0] }) : '', answer.description];
  })));
  return section;
}

function schema(name, value) {
  return element('section', { id: name }, element('h2', {}, name), element('pre', {}, JSON.stringify(value, null, 2)));
}

(async () => {
  const api = await (await fetch('/openapi.json')).json();
  at('description').textContent = api.info.description;
  at('curl').textContent = `curl -F images=@leaf.jpg -F organs=leaf ${location.origin}/v2/identify/all`;
  for (const [path, methods] of Object.entries(api.paths)) for (const [method, what] of Object.entries(methods)) at('endpoints').append(endpoint(api, path, method, what));
  for (const [name, value] of Object.entries(api.components.schemas)) at('endpoints').append(schema(name, value));
})();
