// Writes what documents say about the configuration, from its schema; needs a build. With --check, writes
// nothing and exits 1 when something is out of date.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderEnvExample, TABLE_MARKERS, withConfigTable } from '../dist/core/config/reference.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const isCheck = process.argv.includes('--check');

function renew(name, render) {
  const file = path.join(root, name);
  const before = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  const after = render(before);
  if (after === undefined) {
    console.error(`${name} has no ${TABLE_MARKERS.begin} … ${TABLE_MARKERS.end}`);
    process.exitCode = 1;
  } else if (after === before) {
    console.log(`${name} is current`);
  } else if (isCheck) {
    console.error(`${name} is out of date: run npm run docs`);
    process.exitCode = 1;
  } else {
    writeFileSync(file, after);
    console.log(`${name} written`);
  }
}

renew('.env.example', () => renderEnvExample());
if (existsSync(path.join(root, 'README.md'))) renew('README.md', (readme) => withConfigTable(readme));
