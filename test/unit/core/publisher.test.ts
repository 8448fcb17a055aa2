import { beforeEach, describe, expect, test } from '@jest/globals';
import { Refusal } from '../../../src/core/errors.js';
import type { LogEntry } from '../../../src/core/event.js';
import { MemoryLog } from '../../../src/core/log/memory-log.js';
import { Counters } from '../../../src/core/metrics/counters.js';
import { Publisher } from '../../../src/core/publisher.js';
import { Rights } from '../../../src/core/auth/rights.js';
import { TurnedClock } from '../../support/turned-clock.js';

describe('Publisher', () => {
  let clock: TurnedClock;
  let log: MemoryLog;
  let counters: Counters;
  let publisher: Publisher;
  let logged: LogEntry[];

  beforeEach(() => {
    clock = new TurnedClock();
    log = new MemoryLog(clock, { maxEvents: 10_000, maxBytes: 1e9 });
    counters = new Counters();
    publisher = new Publisher(log, clock, counters, 100, ({ room = 'default' }) => [room]);
    logged = [];
    log.start({ reset() {}, caughtUp() {}, entries: (batch) => logged.push(...batch) });
  });

  const publish = (input: unknown) => publisher.publish(JSON.stringify(input), Rights.ALL);

  test('one event gets one id, the id it has in the log', async () => {
    const ids = await publish({ type: 'x', data: 1 });
    expect(ids).toEqual([expect.stringMatching(/^\d+-\d+$/)]);
    expect(logged).toEqual([
      {
        id: (ids as string[])[0],
        type: 'x',
        room: undefined,
        key: undefined,
        dataJson: '1',
        timestamp: clock.now() / 1000,
      },
    ]);
  });

  test('an array of 1000 is logged in its order', async () => {
    const ids = await publish(Array.from({ length: 1000 }, (_, data) => ({ type: 'x', data })));
    expect(logged.map(({ id }) => id)).toEqual(ids);
    expect(logged.map(({ dataJson }) => Number(dataJson))).toEqual(Array.from({ length: 1000 }, (_, n) => n));
    expect(counters.toJSON()).toEqual({});
  });

  test('an array with one invalid event is refused whole, naming which', async () => {
    const refusal = await publish([{ type: 'x' }, { type: 'y' }, { type: 'no type' }]);
    expect(refusal).toBeInstanceOf(Refusal);
    expect(refusal).toMatchObject({ code: 'invalid_type', message: expect.stringContaining('event 2') });
    expect(logged).toEqual([]);
    expect(counters.get('events_refused', 'invalid_type')).toBe(1);
  });

  test.each([
    ['an empty array', [], 'invalid_event'],
    ['more than 1000', Array.from({ length: 1001 }, () => ({ type: 'x' })), 'too_many_events'],
    ['no event', 'x', 'invalid_event'],
    ['an array in an array', [[{ type: 'x' }]], 'invalid_event'],
    ['too much data', { type: 'x', data: 'x'.repeat(99) }, 'payload_too_large'],
  ])('refuses and counts %s', async (_name, input, code) => {
    expect(await publish(input)).toMatchObject({ code });
    expect(counters.toJSON()).toEqual({ events_refused: { [code]: 1 } });
    expect(logged).toEqual([]);
  });

  test('data is logged as it was sent: no number rounded, no member moved', async () => {
    await publisher.publish(
      '[{"type":"x","data":[1234567890123456789, 1e400, -0, 1.0]}, {"data": 1, "type":"x","da\\u0074a":{"2":"\\ud800", "1":"\\u00e9"}}]',
      Rights.ALL,
    );
    expect(logged.map(({ dataJson }) => dataJson)).toEqual([
      '[1234567890123456789,1e400,-0,1.0]',
      '{"2":"\\ud800","1":"\\u00e9"}',
    ]);
  });

  test.each(['', '{', '{"type":"x"} x', '{"type":"x",}', "{'type':'x'}"])(
    'refuses and counts %s, which is no JSON',
    async (text) => {
      expect(await publisher.publish(text, Rights.ALL)).toMatchObject({ code: 'invalid_json' });
      expect(counters.toJSON()).toEqual({ events_refused: { invalid_json: 1 } });
    },
  );

  test('publishes types of events that the rights name, to rooms that they name, all or none', async () => {
    const rights = new Rights({ ...Rights.NONE.toJSON(), publish: ['*'], publishTypes: ['a.*', 'b'] });
    const send = (...types: readonly string[]) =>
      publisher.publish(JSON.stringify(types.map((type) => ({ type }))), rights);
    expect(await send('a.x', 'b')).toHaveLength(2);
    expect(await send('a.x', 'c')).toMatchObject({
      code: 'forbidden',
      message: expect.stringMatching(/event 1: .* type c /),
    });
    expect(logged).toHaveLength(2);
    const elsewhere = new Rights({ ...rights.toJSON(), publish: ['other'] });
    expect(await publisher.publish('{"type":"b"}', elsewhere)).toMatchObject({ code: 'forbidden' });
  });

  test("a log's refusal is passed on and counted", async () => {
    const refusal = new Refusal('log_unavailable', 'away', 1000);
    log.append = () => Promise.resolve(refusal) as never;
    expect(await publish({ type: 'x' })).toBe(refusal);
    expect(counters.get('events_refused', 'log_unavailable')).toBe(1);
  });
});
