import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';

/** What is started: `redis-server` of the PATH, or what `REDIS_SERVER` names, such as a valkey-server. */
export const REDIS_SERVER = process.env.REDIS_SERVER ?? 'redis-server';

/** A real redis-server of its own, on a free port, in a folder of its own. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly process: ChildProcess;
  /** Where it keeps its files. */
  readonly folder: string;
  /** SIGKILL; its files stay, for a server that is started in its place. Resolves when it is gone. */
  kill(): Promise<void>;
  /** Ends the server and removes its folder. */
  stop(): Promise<void>;
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * Starts redis-server (Debian package of that name) and waits until it answers. `port` restarts one in its place;
 * with its `folder`, it finds what that one kept (see `args`: nothing is kept without `--appendonly yes`).
 */
export async function startRedisServer(
  options: { port?: number; folder?: string; args?: string[] } = {},
): Promise<RedisServer> {
  const port = options.port ?? (await freePort());
  const folder = options.folder ?? mkdtempSync(path.join(os.tmpdir(), 'flipgate-redis-'));
  const server = spawn(
    REDIS_SERVER,
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder, ...(options.args ?? [])],
    { stdio: 'ignore' },
  );
  const exited = new Promise<void>((resolve) => {
    server.once('exit', () => resolve());
    server.once('error', () => resolve());
  });
  const url = `redis://127.0.0.1:${port}`;
  const probe = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
  probe.on('error', () => undefined);
  await Promise.race([
    probe.ping(),
    exited.then(() => {
      throw new Error('redis-server did not start');
    }),
  ]).finally(() => probe.disconnect());
  return {
    url,
    port,
    process: server,
    folder,
    kill: async () => {
      server.kill('SIGKILL');
      await exited;
    },
    stop: async () => {
      server.kill('SIGKILL');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
