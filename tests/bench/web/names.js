'use strict';
/* Search by the server over all names, as somebody types them: beginnings, and whole names with a letter wrong. */
const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const http = require('node:http');

/* A folder of reference documents with a catalogue of `names` made-up names beside the site's own backbone; returns {taxa, sample}. */
async function catalogue({ must, flora, program }, folder, names) {
  must(flora, ['checklist', '--names', String(names), '--out', folder]);
  must(program, ['flora', 'import', '--out', path.join(folder, 'taxa.jsonl'), path.join(folder, 'wcvp_names.csv')]);
  for (const name of fs.readdirSync(folder)) if (!name.endsWith('.jsonl')) fs.rmSync(path.join(folder, name), { recursive: true });
  const sample = [];
  let taxa = 0;
  for await (const line of readline.createInterface({ input: fs.createReadStream(path.join(folder, 'taxa.jsonl')) })) {
    if (taxa++ % 997 === 0) sample.push(JSON.parse(line).scientificName);
  }
  return { taxa, sample };
}

/* A flora of all `names` made-up names, accepted ones and synonyms, in the store, with common names in two languages. Returns its id. */
async function flora({ must, flora: draw, program }, store, folder, names) {
  const title = 'Everything that grows here', id = 'flora:everything', file = path.join(folder, 'taxa.jsonl');
  must(draw, ['checklist', '--names', String(names), '--out', folder]);
  must(program, ['flora', 'import', '--out', file, path.join(folder, 'wcvp_names.csv')]);
  const taxa = fs.readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  taxa.forEach((taxon, i) => { // words of other names: as many different ones as there are
    const [one, two] = [7, 31].map((step) => taxa[(i * step) % taxa.length].scientificName.split(' ').at(-1));
    if (taxon.taxonRank === 'species') taxon.vernacularNames = { en: [`${one} wort`, `wild ${two}`], fr: [`herbe à ${two}`] };
  });
  const species = taxa.filter(({ taxonRank }) => taxonRank === 'species').map(({ _id }) => _id);
  const docs = [...taxa, { _id: id, kind: 'flora', title, taxa: species }];
  for (let i = 0; i < docs.length; i += 1000) await store.ask('POST', '/linnet-reference/_bulk_docs', { docs: docs.slice(i, i + 1000) });
  await store.get('/linnet-reference/_design/linnet/_view/names_of?limit=1&reduce=false');
  return id;
}

/* Milliseconds of each question, one after the other on one connection. */
async function ask(server, sample) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 }), times = [];
  let found = 0, whole = 0;
  for (const name of sample) {
    const wrong = `${name.slice(0, Math.floor(name.length / 2))}${name.slice(Math.floor(name.length / 2) + 1)}`;
    for (const query of [name.slice(0, 3), name.slice(0, 6), name.slice(0, -3), name, wrong]) {
      const begin = performance.now(), { json } = await server.ask('GET', `/v2/taxa?pageSize=8&query=${encodeURIComponent(query)}`, { agent });
      times.push(performance.now() - begin);
      if (query === name || query === wrong) { whole++; if (json.some((one) => one.scientificNameWithoutAuthor === name)) found++; }
    }
  }
  agent.destroy();
  return { times, found: found / whole };
}

module.exports = { ask, catalogue, flora };
