// Completes package-lock.json: every package, also those for other platforms, is pinned to the content it has.
//
// Tools such as Biome, oxlint and swc come with one optional package per platform. Where a registry, or an npm that was
// interrupted, left some of them without a checksum, `npm ci` takes for them whatever the registry has by then. This has npm
// look those up again. Run it after an `npm install`. It fails where the registry in use does not have them all: then run
// it with one that has (`npm_config_registry=https://…`).
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const FILE = new URL('../package-lock.json', import.meta.url);

const before = unpinnedIn(readLock());
if (before.length === 0) {
  console.log('the lock file is complete');
} else {
  // What npm has an entry for, it does not look up.
  const lock = readLock();
  for (const place of before) delete lock.packages[place];
  writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  execFileSync(npm, ['install', '--package-lock-only', '--ignore-scripts'], {
    cwd: new URL('..', import.meta.url),
    stdio: 'inherit',
  });
  const { packages } = readLock();
  const missing = before.filter((place) => packages[place] === undefined);
  const left = [...missing, ...unpinnedIn({ packages })];
  if (left.length > 0) {
    console.error(`this registry does not have, or has no checksum of: ${left.join(', ')}. Take another one`);
    process.exitCode = 1;
  } else {
    console.log(`completed: ${before.join(', ')}`);
  }
}

function readLock() {
  return JSON.parse(readFileSync(FILE, 'utf8'));
}

/** The entries of packages that have no checksum. */
function unpinnedIn({ packages }) {
  return Object.entries(packages)
    .filter(([place, { link, integrity }]) => place !== '' && link !== true && integrity === undefined)
    .map(([place]) => place);
}
