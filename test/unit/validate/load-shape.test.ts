import { describe, expect, test } from '@jest/globals';
import { Arrivals } from '../../../src/validate/load/arrivals.js';
import { eventAt, type LoadShape, owedAfter } from '../../../src/validate/load/load-shape.js';
import { Received } from '../../../src/validate/load/received.js';

const SHAPE: LoadShape = { rate: 95, append: 5, keys: 12, bytes: 0, rooms: 3 };

function firstEvents(count: number): (ReturnType<typeof eventAt> & { readonly n: number })[] {
  return Array.from({ length: count }, (_, n) => ({ n, ...eventAt(SHAPE, n) }));
}

/** The first 400 events that are of a room. */
function eventsOf(room: number): ReturnType<typeof firstEvents> {
  return firstEvents(400).filter((event) => event.room === room);
}

/** A client of a room that was given these events. */
function clientWith(room: number, numbers: readonly number[]): Received {
  const received = new Received(room, 'run', SHAPE, new Arrivals());
  for (const n of numbers) received.take({ run: 'run', n, text: '' });
  return received;
}

describe('a load', () => {
  test('is the same each time, and has its events without a key evenly between the others', () => {
    expect(firstEvents(500)).toEqual(firstEvents(500));
    const appends = firstEvents(1000).filter(({ key }) => key === null);
    expect(appends).toHaveLength(50);
    expect(appends.map(({ appended }) => appended)).toEqual(appends.map((_, index) => index));
    const distances = appends.slice(1).map(({ n }, index) => n - (appends[index]?.n ?? 0));
    expect(new Set(distances)).toEqual(new Set([20]));
  });

  test('changes all keys, about as often, in no order that could be told', () => {
    const counts = new Map<number, number>();
    const values = firstEvents(12_000).flatMap(({ key }) => key ?? []);
    for (const key of values) counts.set(key, (counts.get(key) ?? 0) + 1);
    expect([...counts.keys()].sort((a, b) => a - b)).toEqual([...Array.from({ length: 12 }).keys()]);
    for (const count of counts.values()) expect(Math.abs(count - 950)).toBeLessThan(150);
    // Of two that come in turn always, or never, the same would follow.
    const repeated = values.filter((key, index) => key === values[index + 1]).length;
    expect(Math.abs(repeated - 950)).toBeLessThan(150);
  });

  test('keeps each key in one room, and has events without a key in all rooms in turn', () => {
    for (const { key, room, appended } of firstEvents(2000)) {
      expect(room).toBe((key ?? appended) % SHAPE.rooms);
    }
  });

  test('owes each room its final values and its events without a key', () => {
    const events = firstEvents(777);
    for (const [room, { values, appends }] of owedAfter(SHAPE, 777).entries()) {
      const own = events.filter((event) => event.room === room);
      expect(appends).toBe(own.filter(({ key }) => key === null).length);
      const newest = Array.from(
        { length: SHAPE.keys },
        (_, key) => own.findLast((one) => one.key === key)?.n ?? -1,
      );
      expect([...values]).toEqual(newest);
    }
  });

  test('may be without events that have no key', () => {
    const shape = { ...SHAPE, append: 0 };
    for (let n = 0; n < 100; n += 1) expect(eventAt(shape, n).key).not.toBeNull();
  });
});

describe('what a client was given', () => {
  const owed = owedAfter(SHAPE, 400);

  test('is whole with everything, or with nothing but the final values and what has no key', () => {
    for (const [room, due] of owed.entries()) {
      const all = eventsOf(room);
      const final = all.filter(
        ({ key, n }) => key === null || !all.some((later) => later.key === key && later.n > n),
      );
      expect(final.length).toBeLessThan(all.length);
      for (const events of [all, final]) {
        expect(
          clientWith(
            room,
            events.map(({ n }) => n),
          ).lacks(due),
        ).toBe(0);
      }
    }
  });

  test('lacks a final value, and an event without a key', () => {
    const due = owed[1];
    if (due === undefined) throw new Error('there is no such room');
    const numbers = eventsOf(1).map(({ n }) => n);
    const final = due.values.find((newest) => newest >= 0) ?? -1;
    expect(
      clientWith(
        1,
        numbers.filter((n) => n !== final),
      ).lacks(due),
    ).toBe(1);
    const append = eventsOf(1).find(({ key }) => key === null)?.n;
    expect(
      clientWith(
        1,
        numbers.filter((n) => n !== append),
      ).lacks(due),
    ).toBe(1);
    expect(clientWith(1, []).lacks(due)).toBe(due.appends + due.values.filter((n) => n >= 0).length);
  });

  test('is nothing where it is of another run, or no event of a load', () => {
    const arrivals = new Arrivals();
    const received = new Received(0, 'run', SHAPE, arrivals);
    for (const data of [null, 'text', 7, {}, { run: 'other', n: 1 }, { run: 'run', n: '1' }])
      received.take(data);
    expect(arrivals.count).toBe(0);
    received.take({ run: 'run', n: 1 });
    expect(arrivals.count).toBe(1);
  });
});

test('arrivals are kept in their order, across pieces of memory', () => {
  const arrivals = new Arrivals();
  for (let n = 0; n < 140_000; n += 1) arrivals.note(n, n + 0.5);
  let next = 0;
  arrivals.each((n, at) => {
    if (n === next && at === n + 0.5) next += 1;
  });
  expect([next, arrivals.count, arrivals.uncounted]).toEqual([140_000, 140_000, 0]);
});
