// Runs what the Dockerfile says in clean folders, for places without a Docker engine: the files that .dockerignore lets
// through, each COPY and RUN, and then the image's command, its health check and its stop.
//
//   node scripts/check-image-steps.mjs          (REDIS_URL=… for a gateway on that Redis)
//
// As root on Linux the gateway runs as in a container that was started with --read-only: as process 1 of its own, as the
// image's user, without capabilities, and no file system can be written to. Else that is left out, and said. The base image
// is not looked at: its Node and its npm are those of this machine.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const isContained = process.platform === 'linux' && process.getuid?.() === 0;
const folder = mkdtempSync(path.join(os.tmpdir(), 'flipgate-image-'));
chmodSync(folder, 0o755);
const children = [];
let faults = 0;

/** Prints a line; `ok` false makes the whole fail. */
function report(ok, line) {
  if (!ok) faults += 1;
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${line}`);
}

/** The instructions of the Dockerfile, as [name, the rest of the line]. */
function instructions() {
  const lines = readFileSync(path.join(ROOT, 'Dockerfile'), 'utf8').split('\n');
  const text = lines.filter((line) => !line.startsWith('#')).join('\n');
  return text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => /^(\w+)\s+(.*)$/.exec(line)?.slice(1) ?? ['', line]);
}

/** What an engine would be sent: .dockerignore leaves out everything but what its lines with a ! name. */
function makeContext() {
  const [first, ...others] = readFileSync(path.join(ROOT, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'));
  if (first !== '*' || others.some((line) => !/^!\w[\w./-]*$/.test(line))) {
    throw new Error('.dockerignore must be * and then !name for each path that is let through');
  }
  const context = path.join(folder, 'context');
  for (const line of others) {
    cpSync(path.join(ROOT, line.slice(1)), path.join(context, line.slice(1)), { recursive: true });
  }
  return context;
}

/** Carries out the instructions; returns the last stage. */
function build(context) {
  const stages = new Map();
  let stage;
  for (const [name, rest] of instructions()) {
    if (name === 'FROM') {
      const root = path.join(folder, `stage-${String(stages.size)}`);
      mkdirSync(root);
      stage = { root, workdir: '/', env: {}, settings: {} };
      stages.set(/ AS (\S+)/i.exec(rest)?.[1] ?? '', stage);
    } else if (stage === undefined || name === 'ARG' || name === 'LABEL' || name === 'EXPOSE') {
      if (name !== 'ARG' && stage === undefined) throw new Error(`${name} before FROM`);
    } else if (name === 'WORKDIR') {
      stage.workdir = rest;
      mkdirSync(path.join(stage.root, rest), { recursive: true });
    } else if (name === 'COPY') copy(rest, stage, stages, context);
    else if (name === 'RUN') run(rest, stage);
    else if (name === 'ENV') {
      Object.assign(stage.env, Object.fromEntries(rest.split(/\s+/).map((pair) => pair.split('='))));
    } else if (['USER', 'STOPSIGNAL', 'HEALTHCHECK', 'CMD'].includes(name)) stage.settings[name] = rest;
    else throw new Error(`the Dockerfile has ${name}, which this check does not know`);
  }
  return stage;
}

function copy(rest, stage, stages, context) {
  const words = rest.split(/\s+/);
  const from = /^--from=(.*)/.exec(words[0])?.[1];
  const paths = from === undefined ? words : words.slice(1);
  const source = from === undefined ? context : stages.get(from).root;
  const to = path.join(stage.root, stage.workdir, paths.at(-1));
  for (const one of paths.slice(0, -1)) {
    const isFolder = lstatSync(path.join(source, one)).isDirectory();
    cpSync(path.join(source, one), isFolder ? to : path.join(to, path.basename(one)), {
      recursive: true,
      verbatimSymlinks: true,
    });
  }
}

function run(command, stage) {
  const started = performance.now();
  const cwd = path.join(stage.root, stage.workdir);
  const env = { ...process.env, NODE_ENV: undefined, ...stage.env };
  const { status } = spawnSync('sh', ['-c', command], { cwd, env, stdio: ['ignore', 'ignore', 'inherit'] });
  report(status === 0, `RUN ${command} (${String(Math.round((performance.now() - started) / 1000))} s)`);
  if (status !== 0) throw new Error('a step failed');
}

/** Bytes below a path. */
function sizeOf(file) {
  const stat = lstatSync(file);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(file).reduce((sum, name) => sum + sizeOf(path.join(file, name)), 0);
}

/** Puts a command into a container's place: process 1, nothing can be written, the image's user, no capabilities. */
function contained([program, ...args], user) {
  if (!isContained) return [program === 'node' ? process.execPath : program, args];
  const [uid, gid] = user.split(':');
  const script = [
    'set -e',
    // Deepest first: what lies below a mount has to be changed by itself.
    'for m in $(awk \'$2 !~ "^/(proc|sys)(/|$)" {print $2}\' /proc/mounts | sort -ru); do mount -o remount,bind,ro $m || true; done',
    'for d in / /tmp /var/tmp /dev/shm .; do if touch $d/flipgate-check 2>/dev/null; then echo "$d can be written to" >&2; exit 99; fi; done',
    'exec setpriv --reuid "$1" --regid "$2" --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "$3" "$4" "$5"',
  ].join('\n');
  const own = program === 'node' ? process.execPath : program;
  return [
    'unshare',
    [
      '--mount',
      '--pid',
      '--fork',
      '--kill-child',
      '--mount-proc',
      'sh',
      '-c',
      script,
      'sh',
      uid,
      gid,
      own,
      ...args,
    ],
  ];
}

/** Starts the image's command; `more` is what `docker run -e` would add. */
function start({ root, workdir, env, settings }, more) {
  const [program, args] = contained(JSON.parse(settings.CMD), settings.USER);
  const { PATH } = process.env;
  const child = spawn(program, args, {
    cwd: path.join(root, workdir),
    env: { PATH, ...env, ...more },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  children.push(child);
  const started = { child, output: '', ended: once(child, 'exit') };
  child.stderr.setEncoding('utf8').on('data', (text) => {
    started.output += text;
  });
  return started;
}

/** Ends it as an engine would: with the image's signal, to the process that is the first of its own. */
function signal(child, name) {
  const pids = isContained
    ? readFileSync(`/proc/${String(child.pid)}/task/${String(child.pid)}/children`, 'utf8')
    : String(child.pid);
  process.kill(Number(pids.trim()), name);
}

/** The exit code of the image's health check. */
function health({ root, workdir, env, settings }, more) {
  const [program, ...args] = JSON.parse(/CMD (\[.*\])$/.exec(settings.HEALTHCHECK)[1]);
  return spawnSync(program === 'node' ? process.execPath : program, args, {
    cwd: path.join(root, workdir),
    env: { PATH: process.env.PATH, ...env, ...more },
  }).status;
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return String(port);
}

async function until(condition, what) {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`waited in vain for ${what}`);
}

async function tryOut(image) {
  const { REDIS_URL } = process.env;
  const bare = start(image, {});
  const [refused] = await bare.ended;
  report(refused === 78, `without configuration it refuses to start, exit code ${String(refused)} of 78`);

  const settings = { HOST: '127.0.0.1', PORT: await freePort(), ...(REDIS_URL && { REDIS_URL }) };
  const gateway = start(image, settings);
  await until(() => gateway.output.includes('flipgate is serving') || gateway.child.exitCode !== null, 'it');
  const isServing = gateway.child.exitCode === null;
  report(isServing, isServing ? 'it serves' : `it does not serve: ${gateway.output}`);
  if (!isServing) return;
  const url = `http://127.0.0.1:${settings.PORT}`;
  report(health(image, settings) === 0, 'the health check says that it lives');
  const { status } = await fetch(`${url}/api/events`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: '{"type": "fact_added", "data": 1}',
  });
  report(status === 202, `an event is taken, ${String(status)}`);
  const scripts = await Promise.all(['/', '/client.js'].map((where) => fetch(url + where)));
  report(
    scripts.every(({ ok }) => ok),
    'the console and the SDK are served',
  );
  signal(gateway.child, image.settings.STOPSIGNAL);
  const [code] = await gateway.ended;
  report(code === 0, `${image.settings.STOPSIGNAL} ends it, exit code ${String(code)} of 0`);
  report(health(image, settings) === 1, 'the health check says that it is gone');
}

try {
  const context = makeContext();
  report(true, `context: ${(sizeOf(context) / 1e6).toFixed(1)} MB`);
  const image = build(context);
  const app = path.join(image.root, image.workdir);
  const megabytes = (name) => `${name} ${(sizeOf(path.join(app, name)) / 1e6).toFixed(1)} MB`;
  report(!existsSync(path.join(app, 'node_modules/typescript')), 'no tool of the build is in the image');
  report(true, `on top of the base image: ${readdirSync(app).map(megabytes).join(', ')}`);
  console.log(
    isContained
      ? `     from here on as process 1, as ${image.settings.USER}, without capabilities, everything read-only`
      : '     NOT CHECKED: read-only root, user, process 1 (needs root on Linux)',
  );
  await tryOut(image);
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = faults === 0 ? 0 : 1;
