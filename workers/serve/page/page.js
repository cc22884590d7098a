'use strict';
/* The page at /: pictures in, names out. Asks the same API as everybody; keeps nothing. */
const MOST = 5;
const organs = ['auto', 'leaf', 'flower', 'fruit', 'bark', 'habit'];
const at = (id) => document.getElementById(id);
let chosen = []; /* {file, organ} */

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made[key] = value;
  made.append(...children);
  return made;
}

function show() {
  at('pictures').replaceChildren(...chosen.map((one) => {
    const select = element('select', { ariaLabel: `what ${one.file.name} shows` }, ...organs.map((organ) => element('option', { selected: organ === one.organ }, organ)));
    select.addEventListener('change', () => { one.organ = select.value; });
    const drop = element('button', { type: 'button' }, 'Remove');
    drop.addEventListener('click', () => { chosen = chosen.filter((other) => other !== one); show(); });
    const image = element('img', { alt: one.file.name, src: URL.createObjectURL(one.file) });
    image.addEventListener('load', () => URL.revokeObjectURL(image.src));
    return element('li', {}, image, select, drop);
  }));
  at('ask').disabled = chosen.length === 0;
}

function add(files) {
  for (const file of files) if (chosen.length < MOST && /^image\/(jpeg|png)$/.test(file.type)) chosen.push({ file, organ: 'auto' });
  show();
}

function result({ score, species }) {
  return element('li', {},
    element('meter', { value: score, title: score.toFixed(4) }), ` ${(100 * score).toFixed(1)} % `,
    element('i', {}, species.scientificNameWithoutAuthor), ` ${species.scientificNameAuthorship} `,
    element('span', { className: 'common' }, [species.family.scientificNameWithoutAuthor, ...species.commonNames.slice(0, 3)].filter(Boolean).join(', ')));
}

async function identify(event) {
  event.preventDefault();
  const form = new FormData();
  for (const { file, organ } of chosen) {
    form.append('images', file);
    form.append('organs', organ);
  }
  at('ask').disabled = true;
  at('results').replaceChildren();
  at('words').textContent = 'Looking…';
  try {
    const query = new URLSearchParams({ 'nb-results': 10, lang: at('lang').value });
    const answer = await fetch(`/v2/identify/${encodeURIComponent(at('project').value)}?${query}`, { method: 'POST', body: form });
    const body = await answer.json();
    at('words').textContent = answer.ok ? `By ${body.version}:` : answer.status === 404 ? 'No plant was found on these pictures.' : body.message;
    if (answer.ok) at('results').replaceChildren(...body.results.map(result));
  } catch (error) {
    at('words').textContent = `The server did not answer: ${error.message}`;
  }
  at('ask').disabled = chosen.length === 0;
}

async function fill(id, target, option) {
  const answer = await fetch(target);
  if (answer.ok) at(id).replaceChildren(...(await answer.json()).map(option));
}

at('files').addEventListener('change', (event) => { add(event.target.files); event.target.value = ''; });
for (const name of ['dragover', 'dragleave', 'drop']) {
  at('drop').addEventListener(name, (event) => {
    event.preventDefault();
    at('drop').classList.toggle('over', name === 'dragover');
    if (name === 'drop') add(event.dataTransfer.files);
  });
}
at('form').addEventListener('submit', identify);
fetch('/app/', { method: 'HEAD' }).then((answer) => { at('app').hidden = !answer.ok; }).catch(() => {});
fill('project', '/v2/projects', ({ id, title }) => element('option', { value: id }, title)).catch(() => {});
fill('lang', '/v2/languages', (code) => element('option', { selected: code === 'en' }, code)).catch(() => {});
