import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { Redis } from 'ioredis';
import { encode } from 'notepack.io';
import { forBatches, HostileRig } from '../support/hostile-rig.js';
import { killLaunched } from '../support/launched-gateway.js';
import { brokenJson, nastyFields, nastyJson, nastyText } from '../support/nasty.js';
import { waitUntil } from '../support/wait-until.js';

const URL = process.env.TEST_REDIS_URL ?? '';
const PREFIX = `hostile-${String(process.pid)}`;

let rig: HostileRig;
let redis: Redis;
/** All that the gateway listens to. */
let channels: readonly string[];
/** The log, and what tells how commands ended. */
let streams: readonly string[];

beforeAll(async () => {
  redis = new Redis(URL);
  rig = await HostileRig.open({
    REDIS_URL: URL,
    REDIS_KEY_PREFIX: PREFIX,
    REDIS_CHANNELS: `${PREFIX}-events,${PREFIX}-room-*`,
    CONTROL_WAIT_MS: '0',
  });
  await rig.check();
  // Only a queue that was used has streams.
  await rig.ask('POST', '/api/control', { action: 'team.echo', data: 1 });
  const patterns = [`${PREFIX}-room-any`, `${PREFIX}:socket.io#/#nobody#`];
  channels = [...((await redis.pubsub('CHANNELS', `*${PREFIX}*`)) as string[]), ...patterns];
  const keys = await redis.keys(`*${PREFIX}*`);
  const types = await Promise.all(keys.map((key) => redis.type(key)));
  streams = keys.filter((_key, index) => types[index] === 'stream');
});

afterAll(async () => {
  await killLaunched();
  const keys = await redis.keys(`*${PREFIX}*`);
  if (keys.length > 0) await redis.del(keys);
  await redis.quit();
});

/** Who may write to Redis may publish to any room, so here it must not be to the one that is watched. */
const dove = (text: string): string => text.replaceAll(/canary/gi, 'dove');

const event = nastyFields({
  type: ['fact_added', 'connect', 7],
  room: ['team.a', '*', 1],
  key: ['a', ''],
  timestamp: [1, 'x'],
});
const node = nastyFields({
  kind: ['request', 'reply', 'ping', 'x'],
  id: ['a', 1, '__proto__'],
  from: ['nobody', 'AAAAAAAA'],
  subject: ['rooms', 'status', 'flip', '__proto__', 'toString'],
  until: [0, 1e300, '1'],
  body: [1, null, { session: 'x', change: 1 }, { join: ['team.a'] }],
  failed: [true, 1],
});
/** As Socket.IO's adapters write it: [who, packet, options], or a request. */
const adapter = fc.oneof(
  fc.tuple(
    fc.oneof(nastyText, fc.constant(null)),
    fc.oneof(
      fc.record(
        { type: fc.constantFrom(2, 5, 99, 'x'), nsp: fc.constantFrom('/', '/x', 7), data: fc.jsonValue() },
        { requiredKeys: [] },
      ),
      fc.jsonValue(),
    ),
    fc.oneof(
      fc.constantFrom({ rooms: ['nobody'] }, { rooms: 7 }, { rooms: ['nobody'], except: 1 }, {}, null, 'x'),
    ),
  ),
  fc.record(
    {
      type: fc.constantFrom(0, 1, 2, 3, 5, 6, 7, 8, 9, 'x'),
      requestId: fc.jsonValue(),
      sid: fc.jsonValue(),
      room: fc.jsonValue(),
      rooms: fc.constant(['nobody']),
      packet: fc.jsonValue(),
    },
    { requiredKeys: ['type'] },
  ),
);
const message: fc.Arbitrary<string | Buffer> = fc.oneof(
  event.map(dove),
  node.map(dove),
  nastyJson.map(dove),
  brokenJson.map(dove),
  adapter
    .filter((value) => !Array.isArray(value) || JSON.stringify(value[2]).includes('nobody'))
    .map((value) => encode(value)),
  adapter.filter((value) => !Array.isArray(value)).map((value) => JSON.stringify(value)),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
);
const fields = fc.array(
  fc.tuple(
    fc.constantFrom(
      'type',
      'room',
      'key',
      'timestamp',
      'data',
      'event',
      'jobId',
      'returnvalue',
      'failedReason',
      'prev',
      '__proto__',
      '',
    ),
    fc.oneof(
      fc.constantFrom(
        'fact_added',
        'team.a',
        'completed',
        'failed',
        'duplicated',
        '1',
        '{"status":"succeeded"}',
      ),
      nastyText,
      nastyJson,
    ),
  ),
  { minLength: 1, maxLength: 6 },
);

test('messages of any kind on every channel', async () => {
  expect(channels.length).toBeGreaterThan(5);
  await forBatches(message, { size: 60, runs: 1 }, async (batch) => {
    for (const one of batch) await redis.publish(`${PREFIX}-events`, one);
  });
  await rig.settle();
  await forBatches(message, { size: 250, runs: 10 }, async (batch) => {
    const pipeline = redis.pipeline();
    for (const [index, one] of batch.entries()) {
      // What is for nodes goes to nodes as well, and what is for adapters to all.
      const channel = channels[index % channels.length] ?? '';
      pipeline.publish(channel, one);
    }
    await pipeline.exec();
    rig.count('Redis messages', batch.length);
    await rig.check();
  });
});

test('entries of any fields in every stream', async () => {
  expect(streams.some((key) => key.endsWith('{log}'))).toBe(true);
  expect(streams.some((key) => key.endsWith(':events'))).toBe(true);
  await forBatches(fields, { size: 250, runs: 6 }, async (batch) => {
    const pipeline = redis.pipeline();
    for (const [index, entry] of batch.entries()) {
      const flat = entry.flatMap(([name, value]) => [dove(name), dove(value)]);
      pipeline.xadd(streams[index % streams.length] ?? '', '*', ...flat);
    }
    await pipeline.exec();
    rig.count('Redis streams', batch.length);
    await rig.check();
  });
});

test('jobs of any data, and keys of the wrong kind', async () => {
  const jobs = await redis.keys(`{${PREFIX}}*`);
  await forBatches(fc.tuple(nastyJson, nastyText), { size: 60, runs: 3 }, async (batch) => {
    for (const [index, [data, name]] of batch.entries()) {
      const key = `{${PREFIX}}:garbage:${String(index)}`;
      await redis.hset(
        key,
        'data',
        data,
        'name',
        name,
        'opts',
        name,
        'returnvalue',
        data,
        'failedReason',
        name,
      );
      const stream = streams.filter((one) => one.endsWith(':events'))[0] ?? '';
      await redis.xadd(
        stream,
        '*',
        'event',
        index % 2 === 0 ? 'completed' : 'failed',
        'jobId',
        String(index),
        'returnvalue',
        data,
      );
    }
    rig.count('Redis jobs', batch.length);
    await rig.check();
  });
  expect(jobs.length).toBeGreaterThan(0);
  const state = await rig.ask('GET', '/api/control/garbage');
  expect([200, 404]).toContain(state.status);
});

test('what could not be read is counted', async () => {
  await waitUntil(async () => {
    const { counters } = await rig.status();
    return [counters['events_refused'], counters['node_messages_ignored']].every(
      (counts) => counts !== undefined,
    );
  }, 'the counts');
});

test('nothing is left', () => rig.finish(4000));
