// What the tests need beyond npm: redis-server, chromium, and what the README's snippets use. Installs them where it can (apt-get, as root),
// else names exactly what is missing. Proxies and Python packages, which only tests of deploy/ and examples/ need, may stay missing.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const TOOLS = [
  { command: 'redis-server', package: 'redis-server' },
  { command: process.env.CHROMIUM ?? 'chromium', package: 'chromium' },
  { command: 'redis-cli', package: 'redis-tools' },
  { command: 'curl', package: 'curl' },
  { command: 'python3', package: 'python3' },
];

// For the tests of deploy/.
const PROXIES = [
  { command: 'nginx', version: '-v', package: 'nginx' },
  { command: 'haproxy', version: '-v', package: 'haproxy' },
  { command: 'caddy', version: 'version', package: 'caddy' },
  { command: 'openssl', version: 'version', package: 'openssl' },
];

const has = (command, version = '--version') =>
  spawnSync(command, [version], { stdio: 'ignore' }).status === 0;
const isRootOnDebian = () => process.getuid?.() === 0 && has('apt-get');

// Debian starts the servers it installs, where systemd runs; tests start their own. Source: systemd, ENVIRONMENT.md.
const APT = {
  stdio: 'inherit',
  env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', SYSTEMD_OFFLINE: '1' },
};
let updated = false;

function aptInstall(packages) {
  console.log(`installing for the tests: ${packages.join(', ')}`);
  if (!updated) spawnSync('apt-get', ['update', '-qq'], APT);
  updated = true;
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], APT);
}

const missing = TOOLS.filter(({ command }) => !has(command));

if (missing.length > 0) {
  const packages = missing.map((tool) => tool.package);
  if (isRootOnDebian()) aptInstall(packages);
  const still = missing.filter(({ command }) => !has(command));
  if (still.length > 0) {
    console.error(
      `The tests need these commands on the PATH: ${still.map(({ command }) => command).join(', ')}.\n` +
        `Debian or Ubuntu: sudo apt-get install ${still.map((tool) => tool.package).join(' ')}\n` +
        'A Chromium of another name: CHROMIUM=/path/to/chrome.',
    );
    process.exit(1);
  }
}

const without = () => PROXIES.filter(({ command, version }) => !has(command, version));
const names = (tools) => tools.map((tool) => tool.package).join(' ');

if (without().length > 0 && isRootOnDebian()) {
  // One by one: Caddy is not in every Debian, and one that is not there would keep apt-get from the others.
  for (const tool of without()) aptInstall([tool.package]);
}
if (without().length > 0) {
  console.warn(
    `The tests of deploy/ will be skipped for what is missing: ${names(without())}.\n` +
      `Debian or Ubuntu: sudo apt-get install --no-install-recommends ${names(without())}`,
  );
}

// Python packages for the tests of examples/, in a venv of their own. Without them those tests are skipped, and say so.
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const VENV = path.join(ROOT, 'node_modules/.cache/flipgate-python');
const REQUIREMENTS = path.join(ROOT, 'examples/hak-gal/requirements.txt');
const DONE = path.join(VENV, 'installed.txt');
const wanted = readFileSync(REQUIREMENTS, 'utf8');

function makeVenv() {
  rmSync(VENV, { recursive: true, force: true });
  mkdirSync(path.dirname(VENV), { recursive: true });
  const make = () => spawnSync('python3', ['-m', 'venv', VENV], { encoding: 'utf8' });
  const made = make();
  if (made.status === 0 || !isRootOnDebian()) return made;
  aptInstall(['python3-venv']);
  return make();
}

function installPackages() {
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--retries', '1'];
  return spawnSync(path.join(VENV, 'bin/python'), [...pip, '-r', REQUIREMENTS], { encoding: 'utf8' });
}

if (!existsSync(DONE) || readFileSync(DONE, 'utf8') !== wanted) {
  console.log('installing for the tests of examples/: Python packages');
  const made = makeVenv();
  const ended = made.status === 0 ? installPackages() : made;
  if (ended.status === 0) writeFileSync(DONE, wanted);
  else console.warn(`The tests of examples/ will be skipped: ${String(ended.stderr || ended.error)}`);
}
