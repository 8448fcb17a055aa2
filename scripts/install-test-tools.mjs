// What the tests need beyond npm: redis-server, chromium, and what the README's snippets use. Installs them where it can (apt-get, as root),
// else names exactly what is missing.
import { spawnSync } from 'node:child_process';
import process from 'node:process';

const TOOLS = [
  { command: 'redis-server', package: 'redis-server' },
  { command: process.env.CHROMIUM ?? 'chromium', package: 'chromium' },
  { command: 'redis-cli', package: 'redis-tools' },
  { command: 'curl', package: 'curl' },
  { command: 'python3', package: 'python3' },
];

const has = (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
const missing = TOOLS.filter(({ command }) => !has(command));

if (missing.length > 0) {
  const packages = missing.map((tool) => tool.package);
  if (process.getuid?.() === 0 && has('apt-get')) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    console.log(`installing for the tests: ${packages.join(', ')}`);
    spawnSync('apt-get', ['update', '-qq'], { stdio: 'inherit', env });
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
      stdio: 'inherit',
      env,
    });
  }
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
