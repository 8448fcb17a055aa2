// What the tests need beyond npm: redis-server, chromium, and what the README's snippets use. Installs them where it can (apt-get, as root),
// else names exactly what is missing. Proxies and Python packages, which only some tests need, may stay missing.
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

// Python packages, each set in a venv of its own. Tests that need one that can't be had are skipped, and say so.
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PYTHONS = [
  { venv: 'flipgate-python', requirements: 'examples/hak-gal/requirements.txt' },
  { venv: 'flipgate-python-socketio-5', requirements: 'test/support/python/socketio-5.txt' },
  { venv: 'flipgate-python-socketio-4', requirements: 'test/support/python/socketio-4.txt' },
];

function makeVenv(venv) {
  rmSync(venv, { recursive: true, force: true });
  mkdirSync(path.dirname(venv), { recursive: true });
  const make = () => spawnSync('python3', ['-m', 'venv', venv], { encoding: 'utf8' });
  const made = make();
  if (made.status === 0 || !isRootOnDebian()) return made;
  aptInstall(['python3-venv']);
  return make();
}

function installPackages(venv, requirements) {
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--retries', '1'];
  return spawnSync(path.join(venv, 'bin/python'), [...pip, '-r', requirements], { encoding: 'utf8' });
}

for (const python of PYTHONS) {
  const venv = path.join(ROOT, 'node_modules/.cache', python.venv);
  const requirements = path.join(ROOT, python.requirements);
  const done = path.join(venv, 'installed.txt');
  const wanted = readFileSync(requirements, 'utf8');
  if (existsSync(done) && readFileSync(done, 'utf8') === wanted) continue;
  console.log(`installing for the tests: the Python packages of ${python.requirements}`);
  const made = makeVenv(venv);
  const ended = made.status === 0 ? installPackages(venv, requirements) : made;
  if (ended.status === 0) writeFileSync(done, wanted);
  else
    console.warn(
      `Tests that need ${python.requirements} will be skipped: ${String(ended.stderr || ended.error)}`,
    );
}
