// Adds to package-lock.json the binaries of other platforms that the registry in use does not offer.
//
// Tools such as Biome, oxlint and swc come with one optional package per platform. Where a registry has only those of
// its own platform, npm leaves the others out of the lock file, and `npm ci` then refuses that file everywhere. Each is
// pinned by its tool to one version and named after its platform, which is all an entry needs: npm passes over
// entries for other platforms, and fetches its own. Run it after an `npm install` on such a registry.
import { readFileSync, writeFileSync } from 'node:fs';

const FILE = new URL('../package-lock.json', import.meta.url);
const SYSTEMS = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const PROCESSORS = [
  'arm',
  'arm64',
  'ia32',
  'loong64',
  'ppc64',
  'riscv64',
  's390x',
  'wasm32',
  'x64',
  'mips64el',
];
const ALIASES = new Map([
  ['armv7', 'arm'],
  ['ppc64le', 'ppc64'],
]);
const EXACT = /^\d+\.\d+\.\d+(-[\w.]+)?$/;

const lock = JSON.parse(readFileSync(FILE, 'utf8'));
const added = [];
for (const [holder, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (isLocked(holder, name)) continue;
    const words = name.split(/[/-]/).map((word) => ALIASES.get(word) ?? word);
    const os = words.filter((word) => SYSTEMS.includes(word));
    const cpu = words.filter((word) => PROCESSORS.includes(word));
    if (os.length + cpu.length === 0 || !EXACT.test(version)) {
      console.warn(`left out: ${name}@${version}, whose platform its name does not tell`);
      continue;
    }
    const libc = words.includes('musl')
      ? ['musl']
      : words.some((word) => word.startsWith('gnu'))
        ? ['glibc']
        : undefined;
    lock.packages[`node_modules/${name}`] = {
      version,
      cpu: cpu.length > 0 ? cpu : undefined,
      dev: entry.dev,
      libc: os.includes('linux') ? libc : undefined,
      optional: true,
      os: os.length > 0 ? os : undefined,
    };
    added.push(name);
  }
}
const sorted = Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1));
lock.packages = Object.fromEntries(sorted);
writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);
console.log(added.length === 0 ? 'the lock file is complete' : `added: ${added.join(', ')}`);

function isLocked(holder, name) {
  return `node_modules/${name}` in lock.packages || `${holder}/node_modules/${name}` in lock.packages;
}
