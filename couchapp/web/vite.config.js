import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { build, defineConfig } from 'vite';

/* A map's tiles come from elsewhere only where whoever builds the site names an address for them. */
const tiles = process.env.LINNET_TILES || '';
const tileOrigin = tiles ? ` ${new URL(tiles.replace(/\{s\}/g, '*').replace(/[{}]/g, '')).origin}` : '';

/* Nothing is loaded from elsewhere, no text becomes code. WebAssembly is libsodium's. */
const rules = JSON.parse(fs.readFileSync(new URL('policy.json', import.meta.url), 'utf8'));
const POLICY = Object.entries(rules).map(([name, value]) => `${name} ${value}${name === 'img-src' ? tileOrigin : ''}`).join('; ');

const policy = () => ({
  name: 'linnet-policy',
  transformIndexHtml: (html) => html.replace('%CSP%', POLICY),
});

/* Files that a chunk needs beside those of every page, itself among them. */
function filesOf(bundle, name, found = new Set()) {
  if (found.has(name) || !bundle[name]) return found;
  found.add(name);
  bundle[name].imports.forEach((one) => filesOf(bundle, one, found));
  return found;
}

/* src/begin.js as one small classic script that knows each page's files: a module would wait for the app's. */
async function beginScript(bundle) {
  const chunks = Object.values(bundle).filter(({ type }) => type === 'chunk'), entry = chunks.find(({ isEntry }) => isEntry), all = filesOf(bundle, entry.fileName);
  const pages = chunks.map((chunk) => [/\/src\/pages\/(\w+)\.jsx$/.exec(chunk.facadeModuleId || '')?.[1], chunk]).filter(([name]) => name);
  const files = Object.fromEntries(pages.map(([name, chunk]) => [PAGE_NAMES[name] || name, [...filesOf(bundle, chunk.fileName)].filter((file) => !all.has(file))]));
  const { output } = await build({
    configFile: false, logLevel: 'silent', publicDir: false, define: { __PAGES__: JSON.stringify(files) },
    build: { write: false, target: 'es2022', modulePreload: false, rollupOptions: { input: new URL('src/begin.js', import.meta.url).pathname, output: { format: 'iife' } } },
  });
  return output[0].code;
}
const PAGE_NAMES = { observation: 'o', taxon: 't', user: 'u' }; // as addresses have them

const begin = () => ({
  name: 'linnet-begin',
  enforce: 'post',
  async generateBundle(options, bundle) {
    const code = await beginScript(bundle), name = `assets/begin-${createHash('sha256').update(code).digest('hex').slice(0, 8)}.js`;
    this.emitFile({ type: 'asset', fileName: name, source: code });
    const page = bundle['index.html'];
    page.source = page.source.replace('%BEGIN%', `<script async fetchpriority="high" src="./${name}"></script>`);
  },
});

/* The service worker knows every file of the build, and changes whenever one of them does. */
const offline = () => {
  let folder;
  return {
    name: 'linnet-offline',
    configResolved(config) { folder = path.resolve(config.root, config.build.outDir); },
    closeBundle() {
      const files = fs.readdirSync(folder, { recursive: true }).map(String)
        .filter((name) => fs.statSync(path.join(folder, name)).isFile() && name !== 'sw.js').sort();
      const hash = createHash('sha256');
      for (const name of files) hash.update(name).update(fs.readFileSync(path.join(folder, name)));
      const script = fs.readFileSync(new URL('src/sw.js', import.meta.url), 'utf8');
      fs.writeFileSync(path.join(folder, 'sw.js'),
        script.replace("'%VERSION%'", JSON.stringify(hash.digest('hex').slice(0, 16))).replace("'%FILES%'", JSON.stringify(files)));
    },
  };
};

/* What nearly every page but the first has comes in one file: a dozen small ones are three turns of a slow network. */
const DESK = new RegExp('/src/(place/place|parts/(views|zoom|picture|suggestions|similar|taxon|taxonsearch|votepanel|consensus|disagreement|queuefilter|lastvote|card)'
  + '|store/(queue|observations|floras|taxa|search|live|writing|keep|mine|ids|explore|near|alike|paths|begun|who))\\.jsx?$');
const together = (id) => (DESK.test(id) ? 'desk' : undefined);

export default defineConfig({
  base: './', // served below a design document as well as at /app
  define: { __TILES__: JSON.stringify(tiles) },
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    outDir: process.env.LINNET_WEB_OUT || 'dist',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0, // a data: script or font would want a looser policy
    modulePreload: { polyfill: false },
    rollupOptions: { output: { manualChunks: together } },
    chunkSizeWarningLimit: 900,
  },
  plugins: [policy(), begin(), offline()],
});
