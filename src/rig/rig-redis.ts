import process from 'node:process';
import { Cluster } from 'ioredis';
import type { Closers } from '../core/closers.js';
import type { Logger } from '../core/logger.js';
import { connectRedis, type RedisConnection } from '../core/redis/redis-connection.js';
import { Child } from './child.js';
import { freePorts } from './free-port.js';
import { until } from './until.js';

/** How long Redis may take to answer, ms. */
const PATIENCE_MS = 10_000;

/** The Redis of a rehearsal: one of its own, or a place in one that is there. */
export interface RigRedis {
  readonly url: string;
  readonly connection: RedisConnection;
  /** Undefined where it was there before. */
  readonly pid: number | undefined;
  /** What it is, for people. */
  readonly version: string;
}

/** What opening a Redis takes. */
export interface RedisParts {
  /** Ends it; of one that was there before, removes what the rehearsal left in it. Added to at once. */
  readonly closers: Closers;
  readonly logger: Logger;
}

/** Starts a redis-server that keeps nothing, in `folder`. Throws an error that says why it could not. */
export async function startRedis(
  program: string,
  folder: string,
  { closers, logger }: RedisParts,
): Promise<RigRedis> {
  const [port = 0] = await freePorts(1);
  const child = new Child(
    program,
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder],
    { folder, env: { PATH: process.env['PATH'] } },
  );
  closers.add('redis', () => child.end('SIGKILL'));
  const url = `redis://127.0.0.1:${String(port)}`;
  const connection = connectRedis(url, 'write', logger);
  closers.add('the connection to redis', () => {
    connection.disconnect();
  });
  const answers = await until(PATIENCE_MS, async () => !child.isRunning || (await doesAnswer(connection)));
  if (!child.isRunning || !answers) {
    await child.end('SIGKILL');
    const why = child.lines.join(' ') || 'it ended, or does not answer';
    throw new Error(
      `${program} did not start: ${why}; name one with --redis-server, or one that runs with --redis-url`,
    );
  }
  return { url, connection, pid: child.pid, version: await versionOf(connection) };
}

/** Uses a Redis that is there; every key of the rehearsal begins with `prefix` or `{prefix}`, and nothing else's does. */
export async function borrowRedis(
  url: string,
  prefix: string,
  { closers, logger }: RedisParts,
): Promise<RigRedis> {
  const connection = connectRedis(url, 'write', logger);
  closers.add('the connection to redis', async () => {
    if (await doesAnswer(connection)) await removeKeys(connection, prefix);
    connection.disconnect();
  });
  const answers = await until(PATIENCE_MS, () => doesAnswer(connection));
  if (!answers) throw new Error('the Redis of --redis-url does not answer');
  return { url, connection, pid: undefined, version: await versionOf(connection) };
}

function doesAnswer(connection: RedisConnection): Promise<boolean> {
  return connection.ping().then(
    () => true,
    () => false,
  );
}

async function removeKeys(connection: RedisConnection, prefix: string): Promise<void> {
  const servers = connection instanceof Cluster ? connection.nodes('master') : [connection];
  for (const server of servers) {
    for (const pattern of [`${prefix}:*`, `{${prefix}}*`]) {
      let cursor = '0';
      do {
        const [next, keys] = await server.scan(cursor, 'MATCH', pattern, 'COUNT', 1000);
        await Promise.all(keys.map((key) => connection.unlink(key)));
        cursor = next;
      } while (cursor !== '0');
    }
  }
}

async function versionOf(connection: RedisConnection): Promise<string> {
  const info = await connection.info('server');
  return /redis_version:(\S+)/.exec(info)?.[1] ?? 'unknown';
}
