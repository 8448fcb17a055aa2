// Puts what a process of the gateway loads into a few files: looking for the hundreds of modules of its packages, and
// reading them one by one, takes longer than all the rest of a start.
import { rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = path.join(root, 'dist');
/** It starts threads from files of its own. */
const external = ['piscina'];

/** What packages that are CommonJS ask for, and where dist/ is, from whatever file in it. */
const BANNER = `import { createRequire as flipgateRequire } from 'node:module';
const require = flipgateRequire(import.meta.url), flipgateDist = import.meta.url.replace(/\\/dist\\/(?!.*\\/dist\\/).*$/, '/dist/');`;

/** Code that asks for where it is learns where it was before it was bundled. */
const places = {
  name: 'places',
  setup: (bundler) => {
    bundler.onLoad({ filter: /\.[cm]?js$/ }, async ({ path: file }) => {
      const text = await readFile(file, 'utf8');
      const place = `new URL(${JSON.stringify(path.relative(dist, file).replaceAll(path.sep, '/'))}, flipgateDist)`;
      if (file.startsWith(dist)) return { contents: text.replaceAll('import.meta.url', `${place}.href`) };
      if (!/\b__(dirname|filename)\b/.test(text)) return undefined;
      const named = `var __filename = require('node:url').fileURLToPath(${place})`;
      return { contents: `${named}, __dirname = require('node:path').dirname(__filename);${text}` };
    });
  },
};

/** What is imported when it is needed has the names that Node gives it, be it CommonJS. */
const names = {
  name: 'names',
  setup: (bundler) => {
    bundler.onResolve({ filter: /^[^./]/ }, ({ path: name, kind, resolveDir }) =>
      kind !== 'dynamic-import' || isBuiltin(name) || external.includes(name)
        ? undefined
        : { path: name, namespace: 'names', pluginData: resolveDir },
    );
    bundler.onLoad({ filter: /./, namespace: 'names' }, async ({ path: name, pluginData: resolveDir }) => {
      const exported = Object.keys(await import(name)).filter((one) => one !== 'module.exports');
      return { contents: `export { ${exported.join(', ')} } from ${JSON.stringify(name)};`, resolveDir };
    });
  },
};

/**
 * Overwrites the entrances that tsc wrote, and leaves its modules beside them for what loads single ones. What is
 * imported when it is needed stays so.
 */
export async function bundleGateway() {
  rmSync(path.join(dist, 'parts'), { recursive: true, force: true });
  await build({
    absWorkingDir: root,
    entryPoints: ['dist/launcher.js', 'dist/cli.js', 'dist/drill/load/load-process.js'],
    outbase: dist,
    outdir: dist,
    allowOverwrite: true,
    bundle: true,
    splitting: true,
    chunkNames: 'parts/[hash]',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: true,
    sourcesContent: false,
    external,
    banner: { js: BANNER },
    plugins: [places, names],
    logLevel: 'warning',
  });
}
