// Servers under measurement, each a process of its own, all with one face:
// {pid, port, broadcast(payloadJson), clients(), heap(), stop()}.
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Asks a forked process something and waits for the answer that has `field`. */
export async function ask(child, message, field) {
  child.send(message);
  for (;;) {
    const [answer] = await once(child, 'message');
    if (answer[field] !== undefined) return answer[field];
  }
}

/** A peer of bench/peers. */
export async function startPeer(name) {
  const child = fork(path.join(ROOT, 'bench/peers', `${name}.mjs`), { execArgv: ['--expose-gc'] });
  const [{ port }] = await once(child, 'message');
  return {
    name,
    pid: child.pid,
    port,
    broadcast: (payload) => {
      child.send({ broadcast: payload });
      return Promise.resolve();
    },
    clients: () => ask(child, { clients: true }, 'clients'),
    heap: () => ask(child, { gc: true }, 'heap'),
    stop: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/** The gateway as it ships: dist/launcher.js. `broadcast` publishes one event over HTTP. */
export async function startFlipgate(env, name = 'flipgate') {
  const child = spawn(
    process.execPath,
    ['--expose-gc', '--import', heapProbe, path.join(ROOT, 'dist/launcher.js')],
    {
      cwd: ROOT,
      env: {
        PATH: process.env.PATH,
        PORT: '0',
        HOST_MONITOR: 'false',
        ENV_FILE: undefined,
        CONTROL_RATE_PER_SECOND: '10000',
        ...env,
      },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    },
  );
  let output = '';
  const port = await new Promise((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text) => {
      output += text;
      const line = output.split('\n').find((one) => one.includes('flipgate is serving') && one.endsWith('}'));
      if (line !== undefined) resolve(Number(new URL(JSON.parse(line).url).port));
    });
    child.once('exit', () => reject(new Error(`the gateway ended:\n${output}`)));
  });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
  const request = (method, route, body) => httpRequest(agent, port, method, route, body);
  return {
    name,
    pid: child.pid,
    port,
    request,
    publish: (events) => request('POST', '/api/events', JSON.stringify(events)),
    broadcast: (payload) => request('POST', '/api/events', payload),
    status: async () => JSON.parse((await request('GET', '/api/admin/status')).body),
    clients: async () => {
      const { sessions } = JSON.parse((await request('GET', '/api/admin/status')).body);
      return sessions.sse + sessions.websocket;
    },
    heap: () => ask(child, { gc: true }, 'heap'),
    lag: (reset) => ask(child, { lag: reset }, 'lagMs'),
    stop: async () => {
      agent.destroy();
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

const heapProbe = new URL('./probe.mjs', import.meta.url).href;

function httpRequest(agent, port, method, route, body) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const req = http.request(
      {
        agent,
        host: '127.0.0.1',
        port,
        method,
        path: route,
        headers: { 'Content-Type': 'application/json' },
      },
      (res) => {
        let text = '';
        res.setEncoding('utf8').on('data', (part) => {
          text += part;
        });
        res.on('end', () =>
          resolve({
            status: res.statusCode,
            headers: res.headers,
            body: text,
            ms: performance.now() - started,
          }),
        );
      },
    );
    req.on('error', reject);
    req.end(body);
  });
}

/** Clients in a process of their own. `kind` is sse, legacy or bundle. */
export async function startClients(port, kind, count) {
  const child = fork(path.join(ROOT, 'bench/lib/sockets.mjs'));
  await ask(child, { connect: { port, kind, count } }, 'connected');
  return {
    pid: child.pid,
    bytes: () => ask(child, { bytes: true }, 'bytes'),
    stall: (stalled) => ask(child, { stall: stalled }, 'stalled'),
    stop: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}
