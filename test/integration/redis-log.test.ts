import { execFileSync } from 'node:child_process';
import net from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { Refusal } from '../../src/core/errors.js';
import type { EventLog } from '../../src/core/log/event-log.js';
import { newEvent, numbered } from '../support/new-event.js';
import { OpenedLogs, testRedisUrl } from '../support/opened-logs.js';
import { RecordedTail } from '../support/recorded-tail.js';
import { freePort, startRedisServer } from '../support/redis-server.js';
import { SwitchingProxy } from '../support/switching-proxy.js';
import { waitUntil } from '../support/wait-until.js';

const logs = new OpenedLogs();
afterEach(() => logs.closeAll());

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

async function startedOn(log: EventLog): Promise<RecordedTail> {
  const tail = new RecordedTail();
  log.start(tail);
  await waitUntil(() => log.state === 'ready', 'the log to be ready');
  return tail;
}

async function idsIn(redis: Redis, key: string): Promise<string[]> {
  return (await redis.xrange(key, '-', '+')).map(([id]) => id);
}

/** Publishes one event after the other, waiting for each, until it is told to stop; resolves with the ids it was given. */
function publishing(log: EventLog): { readonly stop: () => Promise<string[]>; readonly refused: Refusal[] } {
  const acknowledged: string[] = [];
  const refused: Refusal[] = [];
  const stopping = new AbortController();
  const run = async (): Promise<string[]> => {
    for (let count = 0; !stopping.signal.aborted; count += 1) {
      const ids = await log.append([newEvent({ dataJson: String(count) })]);
      if (ids instanceof Refusal) {
        refused.push(ids);
        await new Promise((resolve) => setTimeout(resolve, 20));
      } else acknowledged.push(...ids);
    }
    return acknowledged;
  };
  const running = run();
  return {
    refused,
    stop: () => {
      stopping.abort();
      return running;
    },
  };
}

describe('publishers that XADD directly', () => {
  test('need no flipgate: missing rooms, pretty-printed JSON, other fields, any order', async () => {
    const { log, key } = logs.open();
    const tail = await startedOn(log);
    const redis = logs.connect();
    const pretty = JSON.stringify({ a: 1, b: ['x'] }, null, 2);
    const first = await redis.xadd(key, '*', 'data', pretty, 'type', 'kb_update');
    await redis.xadd(
      key,
      '*',
      'type',
      'x',
      'room',
      'r',
      'key',
      'k',
      'timestamp',
      '1732219200.25',
      'data',
      '1',
      'by',
      'me',
    );
    await redis.xadd(key, '*', 'type', 'y', 'room', '', 'key', '', 'timestamp', '', 'data', 'null');
    await waitUntil(() => tail.received.length >= 3);
    const ms = (index: number): number => Number(tail.ids[index]?.split('-')[0]);
    expect(tail.received).toEqual([
      {
        id: first,
        type: 'kb_update',
        room: undefined,
        key: undefined,
        dataJson: pretty,
        timestamp: ms(0) / 1000,
      },
      { id: tail.ids[1], type: 'x', room: 'r', key: 'k', dataJson: '1', timestamp: 1732219200.25 },
      {
        id: tail.ids[2],
        type: 'y',
        room: undefined,
        key: undefined,
        dataJson: 'null',
        timestamp: ms(2) / 1000,
      },
    ]);
  });

  test('what is no event reaches nobody, is counted, and holds nothing up', async () => {
    const { log, key, counters } = logs.open({ maxDataBytes: 100 });
    const tail = await startedOn(log);
    const redis = logs.connect();
    await redis.xadd(key, '*', 'no', 'type');
    await redis.xadd(key, '*', 'type', 'disconnect');
    await redis.xadd(key, '*', 'type', 'x', 'data', '{');
    await redis.xadd(key, '*', 'type', 'x', 'room', 'a b');
    await redis.xadd(key, '*', 'type', 'x', 'data', `"${'x'.repeat(100)}"`);
    await redis.xadd(key, '*', 'type', 'x', 'timestamp', 'now');
    await log.append(numbered(7, 8));
    await waitUntil(() => tail.received.length >= 1);
    expect(tail.data).toEqual([7]);
    expect(counters.toJSON()).toEqual({
      events_refused: {
        invalid_type: 2,
        invalid_data: 1,
        invalid_room: 1,
        payload_too_large: 1,
        invalid_timestamp: 1,
      },
    });
  });

  test('a page of nothing but entries that are no events does not end the reading', async () => {
    const { log, key } = logs.open();
    const tail = await startedOn(log);
    const redis = logs.connect();
    await log.append(numbered(0, 1));
    for (const _ of range(0, 25)) await redis.xadd(key, '*', 'no', 'type');
    await log.append(numbered(1, 3));
    await waitUntil(() => tail.received.length >= 3);
    const page = await log.readAfter(tail.cursorOf(tail.ids[0] ?? ''), 10);
    if (page instanceof Refusal) throw new Error(page.code);
    expect(page).toMatchObject({ loss: null });
    expect(page.entries[0]?.dataJson).toBe('1');
  });
});

describe('reading', () => {
  test('begins with all the stream holds, and is ready when it has read that', async () => {
    const { log, key } = logs.open();
    const redis = logs.connect();
    const pipeline = redis.pipeline();
    for (const n of range(0, 5500)) pipeline.xadd(key, '*', 'type', 'x', 'data', String(n));
    await pipeline.exec();
    const tail = new RecordedTail();
    log.start(tail);
    expect(log.state).toBe('starting');
    await waitUntil(() => tail.caught.length > 0);
    expect([tail.data, tail.caught, tail.resets]).toEqual([range(0, 5500), [true], ['0-0']]);
    expect(tail.calls.at(-1)).toBe('caughtUp');
  });

  test('two nodes read the same ids in the same order, whoever appends', async () => {
    const { log: one, keyPrefix } = logs.open();
    const { log: two } = logs.open({ keyPrefix });
    const tails = [await startedOn(one), await startedOn(two)];
    await Promise.all(range(0, 100).map((n) => (n % 2 === 0 ? one : two).append(numbered(n, n + 1))));
    await waitUntil(() => tails.every(({ received }) => received.length >= 100));
    expect(tails[0]?.received).toEqual(tails[1]?.received);
    expect(new Set(tails[0]?.ids).size).toBe(100);
  });

  test.each([
    { maxEvents: 1000, kept: 1500 },
    { maxEvents: 150_000, kept: 1500 },
    { maxEvents: 50, kept: 60 },
  ])(
    'a node that was held up while its place was trimmed says so ($kept kept of a log of $maxEvents)',
    async ({ maxEvents, kept }) => {
      const { log, key, counters } = logs.open({ maxEvents });
      const tail = await startedOn(log);
      await log.append(numbered(0, 1));
      await waitUntil(() => tail.received.length === 1);
      // The loop is held while another publisher appends far more than the stream keeps.
      tail.onEntries = () => {
        tail.onEntries = () => undefined;
        const script = `for n = 1, 5000 do redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[1], '*', 'type', 'x', 'data', n) end`;
        execFileSync('redis-cli', ['-u', testRedisUrl(), 'EVAL', script, '1', key, String(kept)]);
      };
      await log.append(numbered(1, 2));
      await waitUntil(() => tail.received.at(-1)?.dataJson === '5000');
      expect(tail.resets).toHaveLength(2);
      expect(counters.get('log_breaks')).toBe(1);
      // What the stream still had came, each once and in order.
      expect(tail.data.slice(2)).toEqual(range(5001 - kept, 5001));
    },
  );
});

/** What a reader got between its last break and its end has no hole; the ids that it holds are the newest of the stream. */
async function expectNoSilentLoss(tail: RecordedTail, redis: Redis, key: string): Promise<void> {
  const stored = await idsIn(redis, key);
  await waitUntil(() => tail.ids.at(-1) === stored.at(-1), 'the tail to catch up');
  expect(tail.ids.slice(-stored.length)).toEqual(stored);
}

describe('loss behind the reader', () => {
  test.each([100, 1000])('bursts of XADD with MAXLEN ~ %i: everything, or a break', async (kept) => {
    const { log, key, counters } = logs.open();
    const tail = await startedOn(log);
    const redis = logs.connect();
    let published = 0;
    for (let burst = 0; burst < 20; burst += 1) {
      const pipeline = redis.pipeline();
      for (const n of range(0, 600))
        pipeline.xadd(key, 'MAXLEN', '~', kept, '*', 'type', 'x', 'data', published + n);
      published += 600;
      await pipeline.exec();
    }
    await expectNoSilentLoss(tail, redis, key);
    // Each hole in the numbers has a break of its own.
    const numbers = tail.data as number[];
    const holes = numbers.filter((number, nth) => nth > 0 && number > (numbers[nth - 1] ?? 0) + 1).length;
    expect(counters.get('log_breaks')).toBeGreaterThanOrEqual(holes);
  });

  test('an operator trims, or deletes what was not read: a break; what was read may go', async () => {
    const { log, key, counters } = logs.open();
    const tail = await startedOn(log);
    const redis = logs.connect();
    await log.append(numbered(0, 10));
    await waitUntil(() => tail.received.length === 10);
    await redis.xtrim(key, 'MAXLEN', 1);
    await log.append(numbered(10, 11));
    await waitUntil(() => tail.received.length === 11);
    expect(counters.get('log_breaks')).toBe(0);
    // In one step, so that the reader sees the second alone.
    const script = `local id = redis.call('XADD', KEYS[1], '*', 'type', 'x', 'data', '11')
      redis.call('XDEL', KEYS[1], id) return redis.call('XADD', KEYS[1], '*', 'type', 'x', 'data', '12')`;
    await redis.eval(script, 1, key);
    await waitUntil(() => tail.data.at(-1) === 12);
    expect(counters.get('log_breaks')).toBe(1);
    await redis.eval(
      `local id = redis.call('XADD', KEYS[1], '*', 'type', 'x') redis.call('XDEL', KEYS[1], id)`,
      1,
      key,
    );
    await waitUntil(() => counters.get('log_breaks') === 2);
    await log.append(numbered(13, 14));
    await waitUntil(() => tail.data.at(-1) === 13);
    expect([tail.data.slice(-3), counters.get('log_breaks')]).toEqual([[10, 12, 13], 2]);
    expect(new Set(tail.epochs).size).toBe(1);
  });

  test('a node that starts after an entry was deleted says that older places have lost it', async () => {
    const { log: first, key, keyPrefix } = logs.open();
    await startedOn(first);
    const ids = (await first.append(numbered(0, 10))) as readonly string[];
    await logs.connect().xdel(key, ids[5] ?? '');
    const tail = await startedOn(logs.open({ keyPrefix }).log);
    expect([tail.data, tail.resets.at(-1)]).toEqual([[0, 1, 2, 3, 4, 6, 7, 8, 9], ids[5]]);
    const page = async (index: number) => first.readAfter(tail.cursorOf(ids[index] ?? ''), 10);
    expect(await page(4)).toEqual({ entries: [], loss: 'trimmed' });
    expect(await page(6)).toMatchObject({ loss: null });
  });

  test.each(['del', 'flushdb'] as const)(
    '%s with all connections kept: another epoch, on every node',
    async (command) => {
      const server = await startRedisServer();
      logs.add(() => server.stop());
      const { log, key, keyPrefix } = logs.open({ url: server.url });
      const nodes = [log, logs.open({ url: server.url, keyPrefix }).log];
      const tails = await Promise.all(nodes.map(startedOn));
      const redis = logs.connect(server.url);
      const publisher = publishing(log);
      for (let time = 2; time <= 6; time += 1) {
        const before = tails.map(({ received }) => received.length);
        await waitUntil(() => tails.every((tail, nth) => tail.received.length > (before[nth] ?? 0) + 20));
        await (command === 'del' ? redis.del(key) : redis.flushdb());
        await waitUntil(
          () => tails.every((tail) => new Set(tail.epochs).size === time),
          'the loss to be noticed',
        );
      }
      await publisher.stop();
      for (const tail of tails) await expectNoSilentLoss(tail, redis, key);
      expect(tails[0]?.epochs.at(-1)).toBe(tails[1]?.epochs.at(-1));
    },
  );

  test('a foreign entry with an id of the future, then DEL: nodes go on with what comes', async () => {
    const { log, key } = logs.open();
    const tail = await startedOn(log);
    const redis = logs.connect();
    await redis.xadd(key, '99999999999999-0', 'type', 'x', 'data', '0');
    await log.append(numbered(1, 2));
    await waitUntil(() => tail.received.length === 2);
    await redis.del(key);
    await log.append(numbered(2, 3));
    await waitUntil(() => tail.received.length === 3);
    expect([tail.data, new Set(tail.epochs).size]).toEqual([[0, 1, 2], 2]);
  });

  test('DEL, and at once a foreign entry with a larger id: noticed as well', async () => {
    const { log, key } = logs.open();
    const tail = await startedOn(log);
    const redis = logs.connect();
    await log.append(numbered(0, 3));
    await waitUntil(() => tail.received.length === 3);
    const old = tail.cursorOf(tail.ids[2] ?? '');
    await redis
      .multi()
      .del(key)
      .xadd(key, '*', 'type', 'x', 'data', '3')
      .xadd(key, '*', 'type', 'x', 'data', '4')
      .exec();
    await waitUntil(() => tail.received.length === 5);
    expect([tail.data, new Set(tail.epochs).size]).toEqual([[0, 1, 2, 3, 4], 2]);
    expect(await log.readAfter(old, 10)).toEqual({ entries: [], loss: 'unknown_cursor' });
  });

  test('a restored backup, whose ids go backwards: another epoch', async () => {
    const { log, key } = logs.open();
    const tail = await startedOn(log);
    const redis = logs.connect();
    await log.append(numbered(0, 3));
    await waitUntil(() => tail.received.length === 3);
    const backup = await redis.dumpBuffer(key);
    await log.append(numbered(3, 6));
    await waitUntil(() => tail.received.length === 6);
    await redis.restore(key, 0, backup, 'REPLACE');
    await waitUntil(() => new Set(tail.epochs).size === 2, 'the loss to be noticed');
    await log.append(numbered(6, 7));
    await waitUntil(() => tail.data.at(-1) === 6);
    expect(tail.data.slice(6)).toEqual([0, 1, 2, 6]);
  });

  test('a restored backup to which was appended before any node looked: another epoch', async () => {
    const { log, key } = logs.open();
    const tail = await startedOn(log);
    const redis = logs.connect();
    await log.append(numbered(0, 3));
    await waitUntil(() => tail.received.length === 3);
    const backup = await redis.dumpBuffer(key);
    await log.append(numbered(3, 6));
    await waitUntil(() => tail.received.length === 6);
    await redis.multi().restore(key, 0, backup, 'REPLACE').xadd(key, '*', 'type', 'x', 'data', '7').exec();
    await waitUntil(() => new Set(tail.epochs).size === 2, 'the loss to be noticed');
    await waitUntil(() => tail.data.at(-1) === 7);
    expect(tail.data.slice(6)).toEqual([0, 1, 2, 7]);
  });

  test('another history with an entry of the same id, as after two servers went apart: another epoch', async () => {
    const { log, key } = logs.open();
    const tail = await startedOn(log);
    const redis = logs.connect();
    await log.append(numbered(0, 3));
    await waitUntil(() => tail.received.length === 3);
    const common = await redis.dumpBuffer(key);
    const id = '99999999999999-0';
    await redis.xadd(key, id, 'type', 'x', 'data', '3');
    await waitUntil(() => tail.received.length === 4);
    // Some looks later, so that the reader has seen the entry by itself.
    await log.append(numbered(4, 5));
    await waitUntil(() => tail.received.length === 5);
    const last = tail.ids[4] ?? '';
    await redis
      .multi()
      .restore(key, 0, common, 'REPLACE')
      .xadd(key, id, 'type', 'x', 'data', '5')
      .xadd(key, last, 'type', 'x', 'data', '6')
      .xadd(key, '*', 'type', 'x', 'data', '7')
      .exec();
    await waitUntil(() => tail.data.at(-1) === 7, 'the other history');
    expect([tail.data.slice(5), new Set(tail.epochs).size]).toEqual([[0, 1, 2, 5, 6, 7], 2]);
    expect(await log.readAfter(`${String(tail.epochs[0])}.${last}`, 10)).toEqual({
      entries: [],
      loss: 'unknown_cursor',
    });
  });

  test('emptied when all had been read: nothing is lost, and nobody is told so', async () => {
    // A server of its own: the looks of others must not count.
    const server = await startRedisServer();
    logs.add(() => server.stop());
    const { log, key, counters } = logs.open({ url: server.url });
    const tail = await startedOn(log);
    await log.append(numbered(0, 3));
    await waitUntil(() => tail.received.length === 3);
    const redis = logs.connect(server.url);
    await redis.xtrim(key, 'MAXLEN', 0);
    const looks = async (): Promise<number> =>
      Number(/cmdstat_xread:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1]);
    const before = await looks();
    await waitUntil(async () => (await looks()) > before, 'a look at the empty stream');
    await log.append(numbered(3, 5));
    await waitUntil(() => tail.received.length === 5);
    expect([tail.data, counters.get('log_breaks')]).toEqual([[0, 1, 2, 3, 4], 0]);
  });

  test('the cursor of an empty log does not outlive it', async () => {
    const { log, key } = logs.open();
    const tail = await startedOn(log);
    const redis = logs.connect();
    const empty = tail.cursorOf(tail.resets[0] ?? '');
    await log.append(numbered(0, 3));
    expect(await log.readAfter(empty, 10)).toMatchObject({ loss: null });
    await redis.del(key);
    await log.append(numbered(3, 4));
    expect(await log.readAfter(empty, 10)).toEqual({ entries: [], loss: 'unknown_cursor' });
  });
});

describe('ids that publishers give', () => {
  test('of 16 and more digits are ids like any other', async () => {
    const { log, key, keyPrefix } = logs.open();
    const tail = await startedOn(log);
    const redis = logs.connect();
    const ids = ['1732219200123456-0', '1732219200123456-18446744073709551615', '17322192001234567890-3'];
    for (const id of ids) await redis.xadd(key, id, 'type', 'x', 'data', '1');
    await waitUntil(() => tail.received.length === 3);
    expect(tail.ids).toEqual(ids);
    for (const [index, id] of ids.entries()) {
      const page = await log.readAfter(tail.cursorOf(id), 10);
      expect(page instanceof Refusal ? page.code : page.entries.map((one) => one.id)).toEqual(
        ids.slice(index + 1),
      );
    }
    const [next = ''] = (await log.append(numbered(2, 3))) as readonly string[];
    expect(next).toBe('17322192001234567890-4');
    const other = await startedOn(logs.open({ keyPrefix }).log);
    expect(other.ids).toEqual([...ids, next]);
  });

  test('the largest there is leaves no room: not ready, and why, until the stream is deleted', async () => {
    const { log, key } = logs.open();
    await startedOn(log);
    const redis = logs.connect();
    await redis.xadd(key, '18446744073709551615-18446744073709551615', 'type', 'x', 'data', '1');
    expect(await log.append(numbered(0, 1))).toMatchObject({
      code: 'log_unavailable',
      message: expect.stringContaining('used up its ids'),
    });
    await waitUntil(() => log.state === 'unavailable', 'the log to say that it takes nothing');
    expect(log.reason).toContain('delete the stream');
    await redis.del(key);
    await waitUntil(() => log.state === 'ready', 'the log to be ready again');
    expect(log.reason).toBeNull();
    expect(await log.append(numbered(0, 1))).toHaveLength(1);
  });
});

describe('appends that Redis refuses', () => {
  test('to a key that is no stream: nothing is stored, and the log is not ready', async () => {
    const { log, key } = logs.open();
    await logs.connect().set(key, 'a text');
    log.start(new RecordedTail());
    expect(await log.append(numbered(0, 2))).toMatchObject({
      code: 'log_unavailable',
      message: expect.stringMatching(/WRONGTYPE.*nothing was stored/),
      retryAfterMs: 1000,
    });
    expect(log.state).not.toBe('ready');
    await waitUntil(() => log.reason?.includes('WRONGTYPE') === true);
  });

  test('for want of memory: read on, not ready, ready when there is memory again', async () => {
    const server = await startRedisServer();
    logs.add(() => server.stop());
    const { log } = logs.open({ url: server.url });
    const tail = await startedOn(log);
    const redis = logs.connect(server.url);
    await log.append(numbered(0, 1));
    await redis.config('SET', 'maxmemory', '1');
    expect(await log.append(numbered(1, 2))).toMatchObject({ message: expect.stringContaining('OOM') });
    await waitUntil(() => log.state === 'unavailable', 'the log to say that it takes nothing');
    expect(log.reason).toContain('OOM');
    expect(tail.caught).toEqual([true]);
    await redis.config('SET', 'maxmemory', '0');
    await waitUntil(() => log.state === 'ready', 'the log to be ready again');
    expect(await log.append(numbered(2, 3))).toHaveLength(1);
    await waitUntil(() => tail.received.length === 2);
    expect([tail.data, tail.caught]).toEqual([[0, 2], [true]]);
  });

  test.each(['xtrim', 'hset'])(
    'for want of the permission to %s: nothing is stored, and the log is not ready',
    async (command) => {
      const server = await startRedisServer();
      logs.add(() => server.stop());
      const { log, key } = logs.open({ url: server.url });
      await startedOn(log);
      const redis = logs.connect(server.url);
      await redis.call('ACL', 'SETUSER', 'default', `-${command}`);
      expect(await log.append(numbered(0, 2))).toMatchObject({
        code: 'log_unavailable',
        message: expect.stringMatching(/can't run this command.*nothing was stored/),
      });
      expect(await redis.xlen(key)).toBe(0);
      await waitUntil(() => log.state === 'unavailable', 'the log to say that it takes nothing');
      await redis.call('ACL', 'SETUSER', 'default', `+${command}`);
      await waitUntil(() => log.state === 'ready', 'the log to be ready again');
    },
  );

  test('an array for which there is not one id each: what is stored is not denied', async () => {
    const { log, key } = logs.open();
    await startedOn(log);
    const redis = logs.connect();
    await redis.xadd(key, '18446744073709551615-18446744073709551613', 'type', 'x', 'data', '1');
    expect(await log.append(numbered(0, 3))).toMatchObject({ code: 'outcome_unknown' });
    expect(await redis.xlen(key)).toBe(3);
  });

  test('noticed without anybody publishing', async () => {
    const server = await startRedisServer();
    logs.add(() => server.stop());
    const { log } = logs.open({ url: server.url });
    await startedOn(log);
    await logs.connect(server.url).config('SET', 'maxmemory', '1');
    await waitUntil(() => log.state === 'unavailable', 'the log to say that it takes nothing', 15_000);
  });
});

describe('outages', () => {
  test('connections that drop cost nothing: nothing is missed, nothing doubled', async () => {
    const server = await startRedisServer();
    logs.add(() => server.stop());
    const { log, key } = logs.open({ url: server.url });
    const tail = await startedOn(log);
    const publisher = publishing(log);
    const redis = logs.connect(server.url);
    for (const _ of range(0, 6)) {
      const before = tail.received.length;
      await waitUntil(() => tail.received.length > before + 20, 'appends to go on');
      await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    }
    await waitUntil(() => log.state === 'ready');
    const acknowledged = await publisher.stop();
    const stored = await idsIn(redis, key);
    await waitUntil(() => tail.received.length >= stored.length, 'the tail to catch up');
    expect(tail.ids).toEqual(stored);
    // An append whose answer was lost is asked about again: what is stored is acknowledged, and the other way round.
    expect(stored).toEqual(acknowledged);
    expect(tail.resets).toHaveLength(1);
    for (const { code, message } of publisher.refused) {
      expect([code, message]).toEqual(['log_unavailable', expect.stringContaining('nothing was stored')]);
    }
  });

  test('many publish at once while connections drop: each event is stored once, or refused', async () => {
    const server = await startRedisServer();
    logs.add(() => server.stop());
    const { log, key } = logs.open({ url: server.url });
    const tail = await startedOn(log);
    const publishers = range(0, 20).map(() => publishing(log));
    const redis = logs.connect(server.url);
    for (const _ of range(0, 10)) {
      const before = tail.received.length;
      await waitUntil(() => tail.received.length > before + 100, 'appends to go on');
      await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    }
    const acknowledged = (await Promise.all(publishers.map((publisher) => publisher.stop()))).flat();
    const stored = await idsIn(redis, key);
    expect(new Set(acknowledged).size).toBe(acknowledged.length);
    expect(new Set(stored)).toEqual(new Set(acknowledged));
    for (const { message } of publishers.flatMap(({ refused }) => refused)) {
      expect(message).toContain('nothing was stored');
    }
  });

  test('Redis freezes while it is being told: the event is stored once, and acknowledged', async () => {
    const server = await startRedisServer();
    logs.add(() => server.stop());
    const { log, key } = logs.open({ url: server.url });
    await startedOn(log);
    server.process.kill('SIGSTOP');
    const appended = log.append(numbered(0, 2));
    // Longer than one question may take.
    const later = log.append(numbered(2, 4));
    setTimeout(() => server.process.kill('SIGCONT'), 5500);
    const ids = await appended;
    expect(ids).toHaveLength(2);
    // What was never sent is refused, and can be published again without doubling anything.
    expect(await later).toMatchObject({ message: expect.stringContaining('nothing was stored') });
    expect(await idsIn(logs.connect(server.url), key)).toEqual(ids);
  });

  test('Redis killed and restarted: refused meanwhile, and every acknowledged event is there', async () => {
    const args = ['--appendonly', 'yes', '--appendfsync', 'always'];
    const server = await startRedisServer({ args });
    logs.add(() => server.stop());
    const { log, key } = logs.open({ url: server.url });
    const tail = await startedOn(log);
    const publisher = publishing(log);
    await waitUntil(() => tail.received.length > 100);
    await server.kill();
    await waitUntil(() => log.state === 'unavailable', 'the outage to be noticed');
    expect(await log.append(numbered(0, 3))).toMatchObject({ code: 'log_unavailable', retryAfterMs: 1000 });
    expect(await log.readAfter(tail.cursorOf(tail.ids[0] ?? ''), 10)).toMatchObject({
      code: 'log_unavailable',
    });
    const restarted = await startRedisServer({ port: server.port, folder: server.folder, args });
    logs.add(() => restarted.stop());
    await waitUntil(() => log.state === 'ready', 'the log to be back');
    const before = tail.received.length;
    await waitUntil(() => tail.received.length > before + 20, 'appends to go on');
    const acknowledged = await publisher.stop();
    const stored = await idsIn(logs.connect(server.url), key);
    await waitUntil(() => tail.received.length >= stored.length);
    expect(tail.ids).toEqual(stored);
    expect(stored).toEqual(expect.arrayContaining(acknowledged));
    expect([tail.caught, tail.resets.length]).toEqual([[true, false, true], 1]);
  });

  test('Redis that comes back without the stream: the tail is told, and goes on', async () => {
    const server = await startRedisServer();
    logs.add(() => server.stop());
    const { log, counters } = logs.open({ url: server.url });
    const tail = await startedOn(log);
    await log.append(numbered(0, 3));
    await waitUntil(() => tail.received.length >= 3);
    await server.kill();
    await waitUntil(() => log.state === 'unavailable');
    const restarted = await startRedisServer({ port: server.port });
    logs.add(() => restarted.stop());
    await waitUntil(() => log.state === 'ready', 'the log to be back');
    expect([tail.resets, counters.get('log_breaks')]).toEqual([['0-0', '0-0'], 1]);
    expect(new Set(tail.epochs).size).toBe(2);
    await log.append(numbered(3, 5));
    await waitUntil(() => tail.received.length >= 5);
    expect(tail.data).toEqual(range(0, 5));
  });

  test('started before Redis is: refuses meanwhile, and is ready when Redis is', async () => {
    const port = await freePort();
    const { log } = logs.open({ url: `redis://127.0.0.1:${String(port)}` });
    const tail = new RecordedTail();
    log.start(tail);
    expect(await log.append(numbered(0, 1))).toMatchObject({ code: 'log_unavailable' });
    expect([log.state, tail.calls]).toEqual(['starting', []]);
    const server = await startRedisServer({ port });
    logs.add(() => server.stop());
    await waitUntil(() => log.state === 'ready', 'the log to be ready');
    await waitUntil(async () => !((await log.append(numbered(1, 2))) instanceof Refusal), 'an append');
    await waitUntil(() => tail.received.length >= 1);
    expect([tail.data, tail.caught]).toEqual([[1], [true]]);
  });

  test.each([
    ['that nobody writes to any more', false],
    ['that has lost the stream', true],
  ])('a reader that is left at a server %s goes to the other one', async (_which, isLost) => {
    const first = await startRedisServer();
    logs.add(() => first.stop());
    const second = await startRedisServer({ args: ['--replicaof', '127.0.0.1', String(first.port)] });
    logs.add(() => second.stop());
    const proxy = await SwitchingProxy.open(first.port);
    logs.add(() => {
      proxy.close();
    });
    const { log, key } = logs.open({ url: proxy.url });
    const tail = await startedOn(log);
    await log.append(numbered(0, 3));
    await waitUntil(() => tail.received.length === 3);
    const [atFirst, atSecond] = [logs.connect(first.url), logs.connect(second.url)];
    await waitUntil(async () => (await atSecond.xlen(key)) === 3, 'the replica to have it');
    // The first one does not learn that it is no master any more, and keeps the reader; the writer finds the second.
    await atSecond.replicaof('NO', 'ONE');
    proxy.target = second.port;
    for (const line of String(await atFirst.client('LIST')).split('\n')) {
      const id = /^id=(\d+) .*name=flipgate-write /.exec(line)?.[1];
      if (id !== undefined) await atFirst.client('KILL', 'ID', id);
    }
    await waitUntil(async () => !((await log.append(numbered(3, 4))) instanceof Refusal), 'an append');
    if (isLost) await atFirst.del(key);
    await waitUntil(() => tail.data.at(-1) === 3, 'the event of the other server', 25_000);
    await waitUntil(() => log.state === 'ready', 'the log to be ready');
    // What it reads again after the loss has the same epoch: it is the same log.
    expect(new Set(tail.epochs).size).toBe(1);
    if (!isLost) expect([tail.data, tail.resets.length]).toEqual([[0, 1, 2, 3], 1]);
  });

  test('closes at once while Redis is away', async () => {
    let tries = 0;
    const nobody = net.createServer((socket) => {
      tries += 1;
      socket.destroy();
    });
    const port = await freePort();
    await new Promise<void>((resolve) => void nobody.listen(port, '127.0.0.1', resolve));
    logs.add(() => nobody.close());
    const { log } = logs.open({ url: `redis://127.0.0.1:${String(port)}` });
    log.start(new RecordedTail());
    await waitUntil(() => tries > 3, 'connections to be tried again');
    const begin = performance.now();
    await log.close();
    expect(performance.now() - begin).toBeLessThan(3000);
  });
});
