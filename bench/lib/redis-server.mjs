// A redis-server of its own for a measurement, on a free port, in a folder of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts redis-server; with `appendOnly`, it writes its file to disk each second. */
export async function startRedis({ appendOnly = false } = {}) {
  const port = await freePort();
  const folder = mkdtempSync(path.join(os.tmpdir(), 'flipgate-bench-redis-'));
  const child = spawn(
    'redis-server',
    Object.entries({
      port,
      bind: '127.0.0.1',
      save: '',
      dir: folder,
      appendonly: appendOnly ? 'yes' : 'no',
      appendfsync: 'everysec',
    }).flatMap(([name, value]) => [`--${name}`, String(value)]),
    { stdio: 'ignore' },
  );
  const url = `redis://127.0.0.1:${String(port)}`;
  const client = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
  client.on('error', () => undefined);
  await client.ping();
  return {
    url,
    pid: child.pid,
    client,
    stop: async () => {
      client.disconnect();
      child.kill('SIGKILL');
      await once(child, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
