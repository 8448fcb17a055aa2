import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { systemClock } from '../../src/core/clock.js';
import { PublishBridge } from '../../src/core/log/publish-bridge.js';
import type { Logger } from '../../src/core/logger.js';
import { Counters } from '../../src/core/metrics/counters.js';
import { HeldLedger } from '../support/held-ledger.js';
import { OpenedLogs, testRedisUrl } from '../support/opened-logs.js';
import { RecordedTail } from '../support/recorded-tail.js';
import { startRedisServer } from '../support/redis-server.js';
import { silentLogger } from '../support/silent-logger.js';
import { waitUntil } from '../support/wait-until.js';

const opened = new OpenedLogs();
afterEach(() => opened.closeAll());

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

interface Rig {
  readonly channel: string;
  readonly keyPrefix: string;
  readonly tail: RecordedTail;
  readonly counters: Counters;
  readonly bridge: PublishBridge;
  readonly ledger: HeldLedger;
  readonly redis: Redis;
  publish(message: unknown, tailOfChannel?: string): Promise<unknown>;
}

/**
 * A bridge that copies a channel and a pattern of its own into a log of its own; beside another, the same channel into
 * the same log, once that one fails.
 */
async function bridgeOn(url = testRedisUrl(), beside?: Rig, logger: Logger = silentLogger): Promise<Rig> {
  const channel = beside?.channel ?? `test-${randomUUID()}`;
  const { log, keyPrefix } = opened.open(
    beside === undefined ? { url } : { url, keyPrefix: beside.keyPrefix },
  );
  const counters = new Counters();
  const tail = new RecordedTail();
  log.start(tail);
  const ledger = new HeldLedger({ url, stream: `${keyPrefix}:{log}`, maxEvents: 100_000 }, silentLogger);
  const settings = { url, channels: [channel, `${channel}:*`], maxDataBytes: 1000 };
  const bridge = new PublishBridge(settings, { ledger, clock: systemClock, logger, counters });
  opened.add(() => bridge.close());
  bridge.start();
  const redis = opened.connect(url);
  const publish = (message: unknown, tailOfChannel = ''): Promise<number> =>
    redis.publish(
      channel + tailOfChannel,
      typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message),
    );
  const role = beside === undefined ? 'copying' : 'standing by';
  await waitUntil(() => bridge.role === role, 'the bridge to begin');
  return { channel, keyPrefix, tail, counters, bridge, ledger, redis, publish };
}

const received = ({ tail }: Rig) => tail.received;

describe('PublishBridge', () => {
  test('what existing publishers PUBLISH is in the log', async () => {
    const rig = await bridgeOn();
    await rig.publish('{"type": "kb_update", "data": {"a": 1}, "timestamp": 1732219200.5}');
    await rig.publish({ type: 'x', room: 'r', key: 'k' });
    await waitUntil(() => received(rig).length >= 2);
    expect(received(rig)).toMatchObject([
      { type: 'kb_update', room: undefined, key: undefined, dataJson: '{"a":1}', timestamp: 1732219200.5 },
      { type: 'x', room: 'r', key: 'k', dataJson: 'null', timestamp: expect.any(Number) },
    ]);
  });

  test('data is in the log as it was sent: no number rounded, no member moved', async () => {
    const rig = await bridgeOn();
    const data = '{"order":1234567890123456789,"b":1e400,"1":"\\ud800 \u2028"}';
    await rig.publish(`{"data":0,"type":"x","data":${data}}`);
    await rig.publish(`{"type":"x","data":${data}}`, ':kitchen');
    await waitUntil(() => received(rig).length >= 2);
    expect(received(rig)).toMatchObject([{ dataJson: data }, { dataJson: data, room: 'kitchen' }]);
  });

  test('what is not UTF-8 is refused and counted, by pattern and by name', async () => {
    const rig = await bridgeOn();
    const latin = Buffer.from('{"type":"x","data":"Müller"}', 'latin1');
    await rig.publish(latin);
    await rig.publish(latin, ':kitchen');
    await rig.publish({ type: 'x', data: 'Müller \ufffd' });
    await waitUntil(() => received(rig).length >= 1);
    expect(received(rig).map(({ dataJson }) => dataJson)).toEqual(['"Müller \ufffd"']);
    expect(rig.counters.toJSON()).toEqual({ events_refused: { invalid_json: 2 } });
  });

  test('the tail of a pattern names the room, unless the message does', async () => {
    const rig = await bridgeOn();
    await rig.publish({ type: 'x' }, ':kitchen');
    await rig.publish({ type: 'x', room: 'hall' }, ':kitchen');
    await rig.publish({ type: 'x' }, ':a:b');
    await rig.publish({ type: 'x' }, ':no room');
    await rig.publish({ type: 'x' });
    await waitUntil(() => received(rig).length >= 4);
    expect(received(rig).map(({ room }) => room)).toEqual(['kitchen', 'hall', 'a:b', undefined]);
    expect(rig.counters.toJSON()).toEqual({ events_refused: { invalid_room: 1 } });
  });

  test('keeps the order of 5,000 messages', async () => {
    const rig = await bridgeOn();
    const pipeline = rig.redis.pipeline();
    for (const n of range(0, 5000)) pipeline.publish(rig.channel, `{"type":"x","data":${String(n)}}`);
    await pipeline.exec();
    await waitUntil(() => received(rig).length >= 5000);
    expect(received(rig).map(({ dataJson }) => Number(dataJson))).toEqual(range(0, 5000));
  });

  test('identical messages are as many events', async () => {
    const rig = await bridgeOn();
    for (const _ of range(0, 3)) await rig.publish({ type: 'x', data: 1, timestamp: 5 });
    await waitUntil(() => received(rig).length >= 3);
    expect(new Set(received(rig).map(({ id }) => id)).size).toBe(3);
  });

  test('what is no event is counted and holds nothing up', async () => {
    const rig = await bridgeOn();
    for (const text of [
      '',
      'hello',
      '{',
      '[]',
      '7',
      'null',
      '{"type":"a b"}',
      '{"type":"connect"}',
      '{"type":"x","key":""}',
    ])
      await rig.publish(text);
    await rig.publish({ type: 'x', data: 'x'.repeat(1000) });
    await rig.publish({ type: 'last' });
    await waitUntil(() => received(rig).length >= 1);
    expect(received(rig).map(({ type }) => type)).toEqual(['last']);
    expect(rig.counters.toJSON()).toEqual({
      events_refused: {
        invalid_json: 3,
        invalid_event: 3,
        invalid_type: 2,
        invalid_key: 1,
        payload_too_large: 1,
      },
    });
  });

  test('while the log takes nothing, messages wait, and come in order when it does', async () => {
    const rig = await bridgeOn();
    rig.ledger.reachable = false;
    for (const n of range(0, 20)) await rig.publish({ type: 'x', data: n });
    await waitUntil(() => rig.ledger.refusedCopies > 1, 'the bridge to try again');
    expect(received(rig)).toEqual([]);
    rig.ledger.reachable = true;
    await waitUntil(() => received(rig).length >= 20);
    expect(received(rig).map(({ dataJson }) => Number(dataJson))).toEqual(range(0, 20));
  });

  test('listens again after its connection broke', async () => {
    const server = await startRedisServer();
    opened.add(() => server.stop());
    const rig = await bridgeOn(server.url);
    await rig.publish({ type: 'x', data: 0 });
    await waitUntil(() => received(rig).length >= 1);
    for (const type of ['normal', 'pubsub'])
      await rig.redis.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
    await waitUntil(() => rig.counters.get('bridge_subscriptions_lost') > 0, 'the loss to be noticed');
    await waitUntil(() => rig.bridge.role === 'copying', 'the bridge to copy again');
    await rig.publish({ type: 'x', data: 1 });
    await rig.publish({ type: 'x', data: 2 }, ':r');
    await waitUntil(() => received(rig).length >= 3);
    expect(received(rig).map(({ dataJson, room }) => [dataJson, room])).toEqual([
      ['0', undefined],
      ['1', undefined],
      ['2', 'r'],
    ]);
  });

  test('a permission that Redis refuses while it copies: nothing is stored twice, and all of it once there is the permission', async () => {
    const server = await startRedisServer();
    opened.add(() => server.stop());
    const rig = await bridgeOn(server.url);
    await rig.publish({ type: 'x', data: 0 });
    await waitUntil(() => received(rig).length >= 1);
    for (const command of ['xtrim', 'zadd', 'hset', 'xadd']) {
      const before = received(rig).length;
      await rig.redis.call('ACL', 'SETUSER', 'default', `-${command}`);
      await rig.publish({ type: 'x', data: before });
      const tries = (): number => rig.ledger.copies;
      const from = tries();
      await waitUntil(() => tries() > from + 3, 'it to be tried again and again');
      await rig.redis.call('ACL', 'SETUSER', 'default', `+${command}`);
      await waitUntil(() => received(rig).length > before, 'it to be copied');
    }
    await rig.publish({ type: 'x', data: 5 });
    await waitUntil(() => received(rig).length >= 6);
    expect(received(rig).map(({ dataJson }) => Number(dataJson))).toEqual(range(0, 6));
  });

  test('a mark that is none holds nothing up', async () => {
    const rig = await bridgeOn();
    for (const mark of ['x', 'NaN', '-1', '1.5', '']) await rig.redis.publish(rig.ledger.markChannel, mark);
    await rig.publish({ type: 'x', data: 0 });
    await waitUntil(() => received(rig).length >= 1);
  });

  test('Redis forgets everything: what is published then is copied as before', async () => {
    const server = await startRedisServer();
    opened.add(() => server.stop());
    const rig = await bridgeOn(server.url);
    await rig.publish({ type: 'x', data: 'before' });
    await waitUntil(() => received(rig).length >= 1);
    for (const _ of range(0, 100)) await rig.ledger.mark();
    await rig.redis.flushall();
    const datas = (): string[] => received(rig).map(({ dataJson }) => dataJson);
    for (const turn of range(0, 3)) {
      // Through a mark or two: their numbers must not begin anew.
      await waitUntil(async () => {
        await rig.publish({ type: 'x', data: turn });
        return datas().at(-1) === String(turn);
      }, 'a message to be copied');
      await rig.ledger.mark();
    }
    for (const n of range(100, 150)) await rig.publish({ type: 'x', data: n });
    await waitUntil(() => datas().includes('149'));
    expect(datas().slice(-50)).toEqual(range(100, 150).map(String));
  });

  test('messages that one node missed are copied by the node that has them, before the later ones', async () => {
    const server = await startRedisServer();
    opened.add(() => server.stop());
    const one = await bridgeOn(server.url);
    const list = String(await one.redis.client('LIST'));
    const [, subscription] = /^id=(\d+) .*name=flipgate-wait /m.exec(list) ?? [];
    const other = await bridgeOn(server.url, one);
    for (const n of range(0, 10)) await one.publish({ type: 'x', data: n });
    await waitUntil(() => received(one).length >= 10);
    one.ledger.reachable = false;
    await one.redis.client('KILL', 'ID', String(subscription));
    for (const n of range(10, 20)) await one.publish({ type: 'x', data: n });
    await waitUntil(() => other.bridge.role === 'copying', 'the other to copy');
    one.ledger.reachable = true;
    for (const n of range(20, 30)) await one.publish({ type: 'x', data: n });
    await waitUntil(() => received(one).length >= 30);
    expect(received(one).map(({ dataJson }) => Number(dataJson))).toEqual(range(0, 30));
  });

  test('all subscriptions break again and again: copying goes on within seconds after the last', async () => {
    const server = await startRedisServer();
    opened.add(() => server.stop());
    const one = await bridgeOn(server.url);
    const other = await bridgeOn(server.url, one);
    const breaks = (): number[] =>
      [one, other].map(({ counters }) => counters.get('bridge_subscriptions_lost'));
    const rounds = 8;
    for (const round of range(1, rounds + 1)) {
      await one.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await waitUntil(() => breaks().every((count) => count >= round), 'both to notice');
      const listen = (): boolean => ![one.bridge.role, other.bridge.role].includes('not listening');
      await waitUntil(listen, 'both to listen again');
      await one.publish({ type: 'x', data: round });
    }
    const brokenAt = systemClock.elapsed();
    const inLog = (): number[] => received(one).map(({ dataJson }) => Number(dataJson));
    await waitUntil(() => inLog().includes(rounds), 'the last message to be copied');
    expect(systemClock.elapsed() - brokenAt).toBeLessThan(5000);
    expect(inLog()).toEqual(range(1, rounds + 1));
  });

  test('Redis forgets everything: what was copied just before is not copied again', async () => {
    const server = await startRedisServer();
    opened.add(() => server.stop());
    const one = await bridgeOn(server.url);
    const other = await bridgeOn(server.url, one);
    for (const turn of range(0, 5)) {
      // Until the newest is copied; the node that stands by may not know of that yet.
      for (const n of range(0, 5)) await one.publish({ type: 'x', data: 10 * turn + n });
      await waitUntil(() => received(one).some(({ dataJson }) => dataJson === String(10 * turn + 4)));
      await one.redis.flushall();
      await one.publish({ type: 'x', data: 10 * turn + 9 });
      await waitUntil(() => received(one).some(({ dataJson }) => dataJson === String(10 * turn + 9)));
    }
    // The node that stands by copies what nobody copied for a second: were there anything, it came before this.
    await one.bridge.close();
    await waitUntil(() => other.bridge.role === 'copying', 'the other to copy');
    await one.publish({ type: 'x', data: 'last' });
    await waitUntil(() => received(other).some(({ dataJson }) => dataJson === '"last"'));
    const all = received(one).map(({ dataJson }) => dataJson);
    expect(all.length).toBe(new Set(all).size);
  });

  test('messages that only a node has which reaches Redis too late come late, and are counted', async () => {
    const server = await startRedisServer();
    opened.add(() => server.stop());
    const one = await bridgeOn(server.url);
    const other = await bridgeOn(server.url, one);
    await one.publish({ type: 'x', data: 0 });
    await waitUntil(() => received(one).length >= 1);
    one.ledger.reachable = false;
    // The newer of the two connections for subscriptions is the other's.
    const list = String(await one.redis.client('LIST'));
    const ids = [...list.matchAll(/^id=(\d+) .*name=flipgate-wait .* sub=2 /gm)].map(([, id]) => Number(id));
    await one.redis.client('KILL', 'ID', Math.max(...ids));
    await one.publish({ type: 'x', data: 1 });
    await waitUntil(() => other.bridge.role === 'copying', 'the other to wait for it no longer');
    await one.publish({ type: 'x', data: 2 });
    await waitUntil(() => received(one).length >= 2);
    one.ledger.reachable = true;
    await waitUntil(() => received(one).length >= 3);
    await one.publish({ type: 'x', data: 3 });
    await waitUntil(() => received(one).length >= 4);
    expect(received(one).map(({ dataJson }) => Number(dataJson))).toEqual([0, 2, 1, 3]);
    expect(one.counters.get('published_events_late')).toBe(1);
  });

  test('a refused message is logged with its channel and the reason, each kind', async () => {
    const logged: unknown[] = [];
    const logger = { ...silentLogger, warn: (_: string, fields?: object) => void logged.push(fields) };
    const rig = await bridgeOn(testRedisUrl(), undefined, logger);
    await rig.publish('no JSON');
    await rig.publish('no JSON either');
    await rig.publish({ type: 'a b' });
    await rig.publish({ type: 'x', key: '' }, ':kitchen');
    await waitUntil(() => rig.counters.get('events_refused') === 4, 'all to be counted');
    expect(logged).toMatchObject([
      { source: 'PUBLISH', channel: rig.channel, code: 'invalid_json', reason: expect.any(String) },
      { source: 'PUBLISH', channel: rig.channel, code: 'invalid_type', reason: expect.any(String) },
      { source: 'PUBLISH', channel: `${rig.channel}:kitchen`, code: 'invalid_key' },
    ]);
  });

  test('a pattern that covers everything counts nothing of what nodes tell each other', async () => {
    const rig = await bridgeOn();
    const counters = new Counters();
    const { keyPrefix } = rig;
    const ledger = new HeldLedger(
      { url: testRedisUrl(), stream: `${keyPrefix}:{log}`, maxEvents: 1000 },
      silentLogger,
    );
    const settings = { url: testRedisUrl(), channels: [`${keyPrefix}:*`], maxDataBytes: 1000 };
    const wide = new PublishBridge(settings, { ledger, clock: systemClock, logger: silentLogger, counters });
    opened.add(() => wide.close());
    wide.start();
    await rig.bridge.close();
    await waitUntil(() => wide.role === 'copying', 'the wide one to copy');
    for (const _ of range(0, 3)) await ledger.mark();
    await rig.redis.publish(`${keyPrefix}:room`, '{"type":"x"}');
    await waitUntil(() => received(rig).length >= 1);
    expect(counters.get('events_refused')).toBe(0);
  });

  test('closing gives what came to the log, and takes no more', async () => {
    const rig = await bridgeOn();
    for (const n of range(0, 10)) await rig.publish({ type: 'x', data: n });
    await waitUntil(() => received(rig).length >= 10);
    await rig.bridge.close();
    expect(await rig.publish({ type: 'late' })).toBe(0);
    expect(received(rig)).toHaveLength(10);
  });

  test('closing while the log takes nothing ends, and counts what is lost', async () => {
    const rig = await bridgeOn();
    rig.ledger.reachable = false;
    for (const n of range(0, 5)) await rig.publish({ type: 'x', data: n });
    await waitUntil(() => rig.ledger.refusedMessages === 5, 'the bridge to try with all');
    await rig.bridge.close();
    expect(rig.counters.get('events_dropped', 'bridge_closed')).toBe(5);
  });
});
