// A Redis Cluster of the bench's own, of masters without replicas. Needs redis-server in PATH.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { until } from './wait.mjs';

const SLOTS = 16_384;

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

async function startServer(args = []) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'flipgate-bench-'));
  const port = await freePort();
  const child = spawn(
    'redis-server',
    ['--port', String(port), '--save', '', '--appendonly', 'no', '--dir', folder, ...args],
    { stdio: 'ignore' },
  );
  const redis = new Redis(port, { retryStrategy: () => 50, maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  await redis.ping();
  return {
    port,
    pid: child.pid,
    redis,
    stop: async () => {
      redis.disconnect();
      child.kill('SIGKILL');
      await once(child, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A Cluster of so many masters. */
export async function startRedisCluster(masters) {
  const servers = [];
  for (let index = 0; index < masters; index += 1) {
    const busPort = await freePort();
    servers.push({
      ...(await startServer(['--cluster-enabled', 'yes', '--cluster-port', String(busPort)])),
      busPort,
    });
  }
  for (const [index, { redis }] of servers.entries()) {
    const from = Math.floor((SLOTS * index) / masters);
    const to = Math.floor((SLOTS * (index + 1)) / masters) - 1;
    await redis.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
    await redis.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
  }
  for (const { port, busPort } of servers.slice(1))
    await servers[0].redis.call('CLUSTER', 'MEET', '127.0.0.1', port, busPort);
  for (const { redis } of servers) {
    await until(async () => {
      const info = String(await redis.call('CLUSTER', 'INFO'));
      return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${String(masters)}\r`);
    });
  }
  return {
    url: `redis+cluster://${servers.map(({ port }) => `127.0.0.1:${String(port)}`).join(',')}`,
    pids: servers.map(({ pid }) => pid),
    stop: () => Promise.all(servers.map((server) => server.stop())),
  };
}
