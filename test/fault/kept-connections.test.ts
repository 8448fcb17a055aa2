import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createAdapter } from '@socket.io/redis-adapter';
import { Emitter } from '@socket.io/redis-emitter';
import { Redis } from 'ioredis';
import { Server } from 'socket.io';
import { statusOf } from '../support/gateway-status.js';
import { requestJson } from '../support/json-request.js';
import { killLaunched, type LaunchedGateway, launchGateway } from '../support/launched-gateway.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { StockClient } from '../support/stock-client.js';
import { SwitchingProxy } from '../support/switching-proxy.js';
import { waitUntil } from '../support/wait-until.js';

/** How soon everything must work again, ms; a busy machine included. */
const SOON_MS = 20_000;

/**
 * A failover that keeps connections: the old master is demoted, healthy, and cut off from the new one. Connections to it
 * stand, but nothing comes on them any more.
 */
describe('a failover that keeps connections', () => {
  let oldMaster: RedisServer;
  let newMaster: RedisServer;
  let proxy: SwitchingProxy;
  let nodes: LaunchedGateway[];
  let clients: StockClient[];
  let closers: (() => unknown)[];
  const prefix = `test-${randomUUID()}`;
  const key = `${prefix}:socket.io`;

  beforeEach(async () => {
    closers = [];
    oldMaster = await startRedisServer();
    newMaster = await startRedisServer({ args: ['--replicaof', '127.0.0.1', String(oldMaster.port)] });
    proxy = await SwitchingProxy.open(oldMaster.port);
    const variables = {
      APP_PROFILE: 'HYBRID',
      REDIS_URL: proxy.url,
      REDIS_KEY_PREFIX: prefix,
      REDIS_CHANNELS: prefix,
    };
    nodes = [await launchGateway(variables), await launchGateway(variables)];
    clients = nodes.map(({ url }) => new StockClient(4, url, 'websocket'));
  });

  afterEach(async () => {
    for (const close of closers.toReversed()) await close();
    await Promise.all(clients.map((client) => client.close()));
    await killLaunched();
    proxy.close();
    await Promise.all([oldMaster.stop(), newMaster.stop()]);
  });

  /** A connection of a backend, to whichever server is the master now. */
  const connect = (): Redis => {
    const redis = new Redis(proxy.url);
    closers.push(() => redis.quit());
    return redis;
  };

  /** Does something again and again until both clients got an event of the type. */
  const untilBothGet = async (type: string, again: () => unknown): Promise<void> => {
    const got = (): boolean => clients.every((client) => client.dataOf(type).length > 0);
    await waitUntil(
      async () => {
        await again();
        return got();
      },
      `both clients to get ${type}`,
      SOON_MS,
    );
  };

  const failOver = async (): Promise<void> => {
    const [old, next] = [new Redis(oldMaster.url), new Redis(newMaster.url)];
    await waitUntil(async () => (await next.info('replication')).includes('master_link_status:up'));
    proxy.target = newMaster.port;
    await next.replicaof('NO', 'ONE');
    // Nothing listens at port 1: it stays a replica without a master.
    await old.replicaof('127.0.0.1', 1);
    old.disconnect();
    next.disconnect();
  };

  test('everything that listens listens at the new master within seconds, and it is told', async () => {
    const before = new Emitter(connect(), { key });
    const publisher = connect();
    await untilBothGet('emitted_before', () => before.emit('emitted_before', 1));
    await untilBothGet('published_before', () => publisher.publish(prefix, '{"type":"published_before"}'));

    await failOver();
    const emitter = new Emitter(connect(), { key });
    const nextPublisher = connect();
    await untilBothGet('emitted', () => emitter.emit('emitted', 1));
    await untilBothGet('published', () => nextPublisher.publish(prefix, '{"type":"published"}'));

    // The adapter of a backend sees the sockets of both nodes.
    const io = new Server(createServer(), { adapter: createAdapter(connect(), connect(), { key }) });
    closers.push(() => io.close());
    await waitUntil(
      async () => {
        const sockets = await io.fetchSockets().catch(() => []);
        return sockets.length === clients.length;
      },
      'the backend to see all sockets',
      SOON_MS,
    );

    // Nodes reach each other's sessions.
    const [one, two] = nodes as [LaunchedGateway, LaunchedGateway];
    const known = async (): Promise<number> => {
      const { json } = await requestJson('GET', `${one.url}/api/admin/status`);
      return (json as { cluster: { nodes: unknown[] } }).cluster.nodes.length;
    };
    await waitUntil(async () => (await known()) === 2, 'the nodes to know each other', SOON_MS);
    for (const node of [one, two]) {
      const { counters } = await statusOf(node.url);
      expect(counters['subscriptions_renewed']?.['socket_io']).toBeGreaterThanOrEqual(1);
      expect(counters['socket_io_subscriptions_lost']?.['all']).toBeGreaterThanOrEqual(1);
      expect(node.output()).toContain('lost the subscription of the Socket.IO adapter');
      await waitUntil(() => node.output().includes('listens again to what backends emit'), 'it to say so');
    }
    const old = new Redis(oldMaster.url);
    closers.push(() => {
      old.disconnect();
    });
    expect(String(await old.client('LIST'))).not.toMatch(/name=flipgate-/);
  }, 120_000);
});
