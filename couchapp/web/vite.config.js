import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { defineConfig } from 'vite';

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
  + '|store/(queue|observations|floras|taxa|search|live|writing|keep|mine|ids|explore|alike))\\.jsx?$');
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
  plugins: [policy(), offline()],
});
