// Compiles the gateway and the SDK, bundles them and the console, and copies what tsc leaves behind.
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundleGateway } from './bundle-gateway.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const tsc = path.join(
  path.dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
  'bin',
  'tsc',
);

rmSync(path.join(root, 'dist'), { recursive: true, force: true });
for (const project of ['tsconfig.json', 'src/client/tsconfig.json', 'src/console/tsconfig.json']) {
  const { status } = spawnSync(process.execPath, [tsc, '-p', project], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
await bundleGateway();
const from = path.join(root, 'src/console');
const to = path.join(root, 'dist/console');
mkdirSync(to, { recursive: true });
for (const name of readdirSync(from)) {
  if (/\.(html|svg)$/.test(name)) copyFileSync(path.join(from, name), path.join(to, name));
}
/** For browsers. Socket.IO's client comes from the gateway there, so it is in no bundle. */
const bundled = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  sourcemap: true,
  format: 'esm',
  target: 'es2022',
  external: ['socket.io-client'],
  logLevel: 'warning',
};
// What the gateway serves at /client.js, and, for tabs that share a stream, at /client-shared.js, which loads the former.
for (const [source, bundle] of [
  ['index', 'client'],
  ['client-shared', 'client-shared'],
]) {
  await build({
    ...bundled,
    entryPoints: [`src/client/${source}.ts`],
    outfile: `dist/client/${bundle}.js`,
    allowOverwrite: true,
    // Named by a header of the answer, and not by the file.
    sourcemap: 'external',
    plugins: [
      {
        name: 'client.js',
        setup: (bundler) => {
          bundler.onResolve({ filter: /^\.\/index\.js$/ }, () => ({ path: './client.js', external: true }));
        },
      },
    ],
  });
}
// The page at /.
await build({
  ...bundled,
  entryPoints: ['src/console/app.ts', 'src/console/style.css'],
  outdir: 'dist/console',
});
chmodSync(path.join(root, 'dist/cli.js'), 0o755);
