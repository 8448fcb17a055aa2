import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Emitter } from '@socket.io/redis-emitter';
import { Redis } from 'ioredis';
import { createUser, type DocumentedUser, documentedUsers } from '../support/documented-acl.js';
import { requestJson } from '../support/json-request.js';
import { killLaunched, type LaunchedGateway, launchGateway } from '../support/launched-gateway.js';
import { launchWorker } from '../support/launched-worker.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { StockClient } from '../support/stock-client.js';
import { waitUntil } from '../support/wait-until.js';

const KEY = 'flipgate:socket.io';

/** A line of the log of a gateway or worker about a permission. */
interface Told {
  readonly level: string;
  readonly command: string;
  readonly on: string;
  readonly effect: string;
  readonly rule: string;
}

/** What a process logged about permissions. */
const toldBy = ({ output }: { output(): string }): Told[] =>
  output()
    .split('\n')
    .filter((line) => line.includes('redis refuses a permission') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as Told);

/** The status of a gateway. */
async function statusOf(node: LaunchedGateway): Promise<ReturnType<typeof JSON.parse>> {
  return (await requestJson('GET', `${node.url}/api/admin/status`)).json;
}

/** Gateways and workers whose Redis users have the documented permissions, or fewer. */
describe('Redis users with few permissions', () => {
  const [gatewayUser, workerUser] = documentedUsers();
  let server: RedisServer;
  let redis: Redis;
  let clients: StockClient[];

  beforeEach(async () => {
    server = await startRedisServer();
    redis = new Redis(server.url);
    clients = [];
  });

  afterEach(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await killLaunched();
    await redis.quit();
    await server.stop();
  });

  const variablesOf = ({ name, password }: DocumentedUser): Record<string, string> => ({
    APP_PROFILE: 'HYBRID',
    REDIS_URL: `redis://${name}:${password}@127.0.0.1:${String(server.port)}`,
    REDIS_KEY_PREFIX: 'flipgate',
    REDIS_CHANNELS: 'events,updates',
    COMMANDS_MODULE: 'test/support/commands.mjs',
  });

  const launch = async (): Promise<LaunchedGateway> => {
    const node = await launchGateway(variablesOf(gatewayUser));
    clients.push(new StockClient(4, node.url, 'websocket'));
    return node;
  };

  /** Does something until every client got an event of the type. */
  const untilAllGet = (type: string, again: () => unknown): Promise<void> =>
    waitUntil(async () => {
      await again();
      return clients.every((client) => client.dataOf(type).length > 0);
    }, `all clients to get ${type}`);

  test('with the documented permissions everything works, and Redis refuses nothing', async () => {
    await createUser(redis, gatewayUser);
    await createUser(redis, workerUser);
    const [one, two] = [await launch(), await launch()];
    const worker = await launchWorker(variablesOf(workerUser));
    const emitter = new Emitter(redis, { key: KEY });

    await untilAllGet('by_http', () => requestJson('POST', `${one.url}/api/events`, { type: 'by_http' }));
    await untilAllGet('by_xadd', () => redis.xadd('flipgate:{log}', '*', 'type', 'by_xadd', 'data', '1'));
    await untilAllGet('by_publish', () => redis.publish('updates', '{"type":"by_publish"}'));
    await untilAllGet('by_emitter', () => emitter.emit('by_emitter', 1));
    const command = { action: 'governor.start' };
    const once = { 'Idempotency-Key': 'once' };
    const { json } = await requestJson('POST', `${one.url}/api/control`, command, once);
    expect(json).toMatchObject({ status: 'succeeded' });
    expect((await requestJson('POST', `${two.url}/api/control`, command, once)).json).toEqual(json);
    expect((await requestJson('GET', `${two.url}/api/admin/commands`)).status).toBe(200);
    const denied = `${one.url}/api/admin/denied/address:10.9.8.7`;
    expect((await requestJson('PUT', denied, {})).status).toBe(200);
    await waitUntil(async () => (await statusOf(two)).denied === 1, 'the other node to know of the denial');
    expect((await requestJson('DELETE', denied)).json).toMatchObject({ lifted: true });
    await waitUntil(
      async () => (await statusOf(one)).cluster.nodes.length === 2,
      'the nodes to know each other',
    );
    const flipped = await requestJson('PUT', `${one.url}/api/admin/profile`, {
      profile: 'WEBSOCKET',
      all: true,
    });
    expect(flipped.status).toBeLessThan(300);

    expect((await statusOf(one)).redis).toEqual({ refusedPermissions: [] });
    expect((await requestJson('GET', `${two.url}/readyz`)).json).not.toHaveProperty('refused');
    for (const process of [one, two, worker]) expect(toldBy(process)).toEqual([]);
    // Redis 6.2 does not know CLIENT SETINFO, which clients send all the same.
    const refused = (await redis.call('ACL', 'LOG')) as string[][];
    expect(refused.filter((fields) => fields[fields.indexOf('object') + 1] !== 'client')).toEqual([]);
  }, 60_000);

  test('a missing permission is told with what does not work and the rule to add; once added, it works', async () => {
    const rule = '&flipgate:socket.io#/#*';
    await createUser(redis, gatewayUser, [rule]);
    const node = await launch();
    await waitUntil(() => toldBy(node).length > 0, 'the gateway to say so');
    expect(toldBy(node)).toEqual([
      expect.objectContaining({
        level: 'error',
        command: 'psubscribe',
        on: 'flipgate:socket.io#/#*',
        effect: 'messages that backends emit through Socket.IO do not reach clients',
        rule,
      }),
    ]);
    const { status, json } = await requestJson('GET', `${node.url}/readyz`);
    expect([status, json]).toMatchObject([200, { refused: [expect.stringMatching('backends emit')] }]);
    const { redis: told, counters } = await statusOf(node);
    expect(told.refusedPermissions).toMatchObject([{ command: 'psubscribe', rule }]);
    expect(counters.permissions_refused.emitters).toBeGreaterThanOrEqual(1);
    // The rest works.
    await untilAllGet('by_publish', () => redis.publish('events', '{"type":"by_publish"}'));

    await redis.call('ACL', 'SETUSER', gatewayUser.name, rule);
    const emitter = new Emitter(redis, { key: KEY });
    await untilAllGet('by_emitter', () => emitter.emit('by_emitter', 1));
  }, 60_000);

  test.each([
    ['&updates', 'published', /^subscribe$/, /PUBLISHed/],
    ['~{flipgate}:*', 'commands', /^xrevrange$/, /commands are not accepted/],
    ['+@pubsub', 'nodes', /^p?(subscribe|ublish)/, /gateways do not know/],
  ])('without %s the gateway says what does not work', async (rule, purpose, command, effect) => {
    await createUser(redis, gatewayUser, [rule]);
    const node = await launchGateway(variablesOf(gatewayUser));
    const told = (): boolean =>
      toldBy(node).some((one) => command.test(one.command) && effect.test(one.effect) && one.rule !== '');
    await waitUntil(told, 'the gateway to say so');
    expect((await statusOf(node)).counters.permissions_refused[purpose]).toBeGreaterThanOrEqual(1);
  });

  test('without a permission for the log the gateway is not ready', async () => {
    await createUser(redis, gatewayUser, ['~flipgate:*']);
    const node = await launchGateway(variablesOf(gatewayUser));
    await waitUntil(() => toldBy(node).some(({ effect }) => /events are not/.test(effect)), 'it to say so');
    expect((await requestJson('GET', `${node.url}/readyz`)).status).toBe(503);
  });

  test('a worker without a permission says that commands are not executed', async () => {
    await createUser(redis, workerUser, ['+@scripting']);
    const worker = await launchWorker(variablesOf(workerUser));
    await waitUntil(() => toldBy(worker).length > 0, 'the worker to say so');
    expect(toldBy(worker)[0]).toMatchObject({
      effect: 'commands are not executed',
      rule: expect.stringMatching(/^\+eval/),
    });
  });

  test('a worker needs no dangerous command', async () => {
    await createUser(redis, gatewayUser);
    await createUser(redis, workerUser, ['+info', '+client|setname']);
    const node = await launch();
    await launchWorker(variablesOf(workerUser));
    const { json } = await requestJson('POST', `${node.url}/api/control`, { action: 'governor.start' });
    expect(json).toMatchObject({ status: 'succeeded' });
  });
});
