import { afterEach, describe, expect, test } from '@jest/globals';
import { Refusal } from '../../src/core/errors.js';
import type { EventLog } from '../../src/core/log/event-log.js';
import { Shards } from '../../src/core/log/shards.js';
import { streamKey } from '../../src/core/log/stream-key.js';
import { newEvent } from '../support/new-event.js';
import { OpenedLogs } from '../support/opened-logs.js';
import { RecordedTail } from '../support/recorded-tail.js';
import { startRedisServer } from '../support/redis-server.js';
import { waitUntil } from '../support/wait-until.js';

/** One room in each of four shards. */
const ROOMS = ['d', 'b', 'e', 'a'];
const SHARDS = new Shards(4);

/** The stream that has the room's events. */
const streamOf = (keyPrefix: string, room: string): string =>
  streamKey(keyPrefix, SHARDS, SHARDS.ofRoom(room));

const logs = new OpenedLogs();
afterEach(() => logs.closeAll());

async function startedOn(log: EventLog): Promise<RecordedTail> {
  const tail = new RecordedTail();
  log.start(tail);
  await waitUntil(() => log.state === 'ready', 'the log to be ready');
  return tail;
}

describe('a log of several streams', () => {
  test('each room has its stream, where a publisher in any language finds it', async () => {
    const { log, keyPrefix } = logs.open({ shards: 4 });
    const redis = logs.connect();
    const tail = await startedOn(log);
    const ids = await log.append(ROOMS.map((room, n) => newEvent({ room, dataJson: String(n) })));
    if (ids instanceof Refusal) throw new Error(ids.message);
    for (const [shard, room] of ROOMS.entries()) {
      const key = `${keyPrefix}:{log:${String(shard)}}`;
      expect([SHARDS.ofRoom(room), streamOf(keyPrefix, room)]).toEqual([shard, key]);
      expect(await redis.xlen(key)).toBe(1);
      await redis.xadd(key, '*', 'type', 'x', 'room', room, 'data', '7');
    }
    await waitUntil(() => tail.received.length >= 8);
    for (const room of ROOMS) {
      const own = tail.received.filter((entry) => entry.room === room);
      expect(own.map(({ dataJson }) => dataJson)).toEqual([String(ROOMS.indexOf(room)), '7']);
    }
    expect(new Set(tail.ids).size).toBe(8);
    expect(await redis.exists(`${keyPrefix}:{log}`)).toBe(0);
  });

  test('what lies in another shard than its room reaches nobody, and is counted', async () => {
    const { log, counters, keyPrefix } = logs.open({ shards: 4 });
    const tail = await startedOn(log);
    const redis = logs.connect();
    await redis.xadd(streamOf(keyPrefix, 'a'), '*', 'type', 'x', 'room', 'b', 'data', '1');
    // An event without a room goes to the default room, which lies where room a does.
    await redis.xadd(streamOf(keyPrefix, 'b'), '*', 'type', 'x', 'data', '2');
    await redis
      .xadd(streamOf(keyPrefix, 'a'), '1-18446744073709551615', 'type', 'x', 'data', '3')
      .catch(() => '');
    await redis.xadd(streamOf(keyPrefix, 'a'), '*', 'type', 'x', 'data', '4');
    await waitUntil(() => tail.received.length >= 1);
    await waitUntil(() => counters.get('events_refused', 'invalid_room') >= 2);
    expect(tail.data).toEqual([4]);
  });

  test('an event of rooms in several shards is written once to each, and has the id of its first', async () => {
    const { log } = logs.open({ shards: 4 }, () => ['b', 'a', 'c', 'd']);
    const tail = await startedOn(log);
    const ids = await log.append([newEvent({ room: undefined }), newEvent({ room: undefined })]);
    if (ids instanceof Refusal) throw new Error(ids.message);
    await waitUntil(() => tail.received.length >= 6);
    expect(ids.map((id) => SHARDS.ofId(id))).toEqual([1, 1]);
    const told = tail.ids.map((id) => SHARDS.ofId(id)).sort((a, b) => a - b);
    expect([told, new Set(tail.ids).size]).toEqual([[0, 0, 1, 1, 3, 3], 6]);
    expect(tail.ids).toEqual(expect.arrayContaining([...ids]));
  });

  test('calls are in order in every shard, whether awaited or not', async () => {
    const { log } = logs.open({ shards: 4 });
    // Not started: the first calls wait until it is known that the nodes agree.
    const calls: Promise<unknown>[] = [];
    const stored: unknown[] = [];
    for (let n = 0; stored.length < 400; n += 1) {
      const room = ROOMS[n % 3] as string;
      const events = [room, 'a'].map((one) => newEvent({ room: one, dataJson: String(n) }));
      const call = log.append(n % 2 === 0 ? events : events.slice(1));
      calls.push(call);
      void call.then((answer) => answer instanceof Refusal || stored.push(answer));
      if (n % 10 === 0) await new Promise(setImmediate);
    }
    const answers = await Promise.all(calls);
    const first = answers.findIndex((answer) => !(answer instanceof Refusal));
    expect(answers.slice(first).filter((answer) => answer instanceof Refusal)).toEqual([]);
    const tail = await startedOn(log);
    await waitUntil(() => tail.received.filter(({ room }) => room === 'a').length >= stored.length);
    for (const room of ROOMS) {
      const numbers = tail.received
        .filter((one) => one.room === room)
        .map(({ dataJson }) => Number(dataJson));
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    }
  });

  test('a shard that can not be written: it is said that not all may be stored', async () => {
    const { log, keyPrefix } = logs.open({ shards: 4 });
    const tail = await startedOn(log);
    const redis = logs.connect();
    await redis.del(streamOf(keyPrefix, 'b'));
    await redis.set(streamOf(keyPrefix, 'b'), 'no stream');
    const both = await log.append(['a', 'b'].map((room) => newEvent({ room })));
    expect(both).toMatchObject({ code: 'outcome_unknown', message: expect.stringContaining('not known') });
    const one = await log.append([newEvent({ room: 'b' })]);
    expect(one).toMatchObject({ code: 'log_unavailable', message: expect.stringContaining('nothing was') });
    expect(await log.append([newEvent({ room: 'a' })])).toHaveLength(1);
    await waitUntil(() => tail.received.length >= 2);
  });
});

describe('nodes that do not agree on the number of shards', () => {
  test('who comes second with another number takes nothing and is not ready, until it is put right', async () => {
    const { log: first, keyPrefix } = logs.open({ shards: 4 });
    await startedOn(first);
    const { log: second } = logs.open({ shards: 2, keyPrefix });
    const tail = new RecordedTail();
    second.start(tail);
    await waitUntil(async () => {
      const answer = await second.append([newEvent()]);
      return answer instanceof Refusal && answer.message.includes('LOG_SHARDS differs, it is 4');
    }, 'the refusal');
    expect([second.state, tail.calls]).toEqual(['starting', []]);
    const redis = logs.connect();
    expect(await redis.keys(`${keyPrefix}:{log*`)).toEqual([`${keyPrefix}:{log}:shards`]);
    await first.close();
    await redis.del(`${keyPrefix}:{log}:shards`);
    await waitUntil(() => second.state === 'ready', 'the second to be ready');
    expect(await second.append([newEvent()])).toHaveLength(1);
  });

  test('a node of one shard is told, too', async () => {
    const { log: first, keyPrefix } = logs.open({ shards: 1 });
    await startedOn(first);
    const { log: second } = logs.open({ shards: 2, keyPrefix });
    second.start(new RecordedTail());
    await waitUntil(async () => (await second.append([newEvent()])) instanceof Refusal);
    expect(second.state).toBe('starting');
  });

  test('a Redis that is full is still read', async () => {
    const server = await startRedisServer();
    logs.add(() => server.stop());
    const { log, keyPrefix } = logs.open({ url: server.url, shards: 4 });
    await startedOn(log);
    const redis = logs.connect(server.url);
    await redis.config('SET', 'maxmemory', '1');
    const { log: second } = logs.open({ url: server.url, shards: 4, keyPrefix });
    await startedOn(second);
    expect(await second.append([newEvent()])).toMatchObject({ code: 'log_unavailable' });
  });

  test('what was agreed is written again when Redis has lost it', async () => {
    const server = await startRedisServer();
    logs.add(() => server.stop());
    const { log, keyPrefix } = logs.open({ url: server.url, shards: 4 });
    await startedOn(log);
    const redis = logs.connect(server.url);
    await redis.flushall();
    await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await waitUntil(async () => (await redis.get(`${keyPrefix}:{log}:shards`)) === '4', 'it to be written');
  });
});
