import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { Timeline } from '../../../../src/core/delivery/timeline.js';
import type { Event, LogEntry } from '../../../../src/core/event.js';
import { EventTypes } from '../../../../src/core/event-types.js';
import { compareLogIds } from '../../../../src/core/log/log-id.js';
import { Shards } from '../../../../src/core/log/shards.js';
import { Counters } from '../../../../src/core/metrics/counters.js';
import { newEvent } from '../../../support/new-event.js';

const ROOMS = ['a', 'b', 'c'];
const TYPES = EventTypes.parse(
  { wide: { policy: 'append', rooms: ['a', 'b'] }, value: { policy: 'latest' } },
  ['c'],
) as EventTypes;

function timelineOf(maxEvents: number, maxBytes = 1e9): { timeline: Timeline; counters: Counters } {
  const counters = new Counters();
  return { timeline: new Timeline(TYPES, { maxEvents, maxBytes }, counters), counters };
}

/** Ids 10 ms apart, so that there are ids between them. */
function idOf(count: number): string {
  return `${String(count * 10)}-0`;
}

function entry(count: number, parts: Parameters<typeof newEvent>[0] = {}): LogEntry {
  return { ...newEvent(parts), id: idOf(count) };
}

/** An entry of a key of its own, of about 1 KB. */
function keyed(count: number): LogEntry {
  return entry(count, { key: `k${String(count)}`, dataJson: `"${'x'.repeat(798)}"` });
}

/** What the timeline promises, as plainly as it can be said. */
class PlainTimeline {
  held: { readonly id: string; readonly position: number }[] = [];
  readonly sent: Event[] = [];
  readonly breaks: { readonly shard: number; readonly position: number }[] = [];
  head = 0;
  readonly #floors: string[];
  readonly #begun = new Set<number>();

  constructor(
    readonly maxEvents: number,
    readonly shards: Shards,
  ) {
    this.#floors = Array.from({ length: shards.count }, (_, shard) => shards.logId(shard, '0-0'));
  }

  append(one: LogEntry): void {
    const position = this.head++;
    const shard = this.shards.ofId(one.id);
    this.sent.push(...TYPES.place(one, position).filter(({ room }) => this.shards.ofRoom(room) === shard));
    this.held.push({ id: one.id, position });
    if (this.held.length > this.maxEvents) {
      const { id } = this.held.shift() as { id: string };
      this.#floors[this.shards.ofId(id)] = id;
    }
  }

  reset(floor: string): void {
    const shard = this.shards.ofId(floor);
    this.held = this.held.filter(({ id }) => this.shards.ofId(id) !== shard);
    if (this.#begun.has(shard)) this.head += 1;
    this.#begun.add(shard);
    this.breaks.push({ shard, position: this.head });
    this.#floors[shard] = floor;
  }

  isHeld(position: number): boolean {
    return this.held.some((one) => one.position === position);
  }

  isWhole(room: string, from: number): boolean {
    const missing = this.sent.some(
      (event) => event.room === room && event.position >= from && !this.isHeld(event.position),
    );
    const shard = this.shards.ofRoom(room);
    return !missing && this.breaks.every((one) => one.shard !== shard || from >= one.position);
  }

  eventsOf(room: string): Event[] {
    return this.sent.filter((event) => event.room === room && this.isHeld(event.position));
  }

  latest(room: string): Event[] {
    const all = this.sent.filter((event) => event.room === room);
    return all.filter(
      ({ slot, position }) =>
        slot !== null && !all.some((other) => other.slot === slot && other.position > position),
    );
  }

  /** The last id of a shard before a position. */
  idBefore(shard: number, position: number): string {
    const before = this.#idsOf(shard).findLast((one) => one.position < position);
    return before?.id ?? (this.#floors[shard] as string);
  }

  locate(id: string): unknown {
    const shard = this.shards.ofId(id);
    const held = this.#idsOf(shard);
    const floor = this.#floors[shard] as string;
    if (compareLogIds(id, floor) < 0) return 'lost';
    if (compareLogIds(id, held.at(-1)?.id ?? floor) > 0) return 'ahead';
    // An id that the log never gave.
    if (![floor, ...held.map((one) => one.id)].includes(id)) return 'lost';
    const next = held.find((one) => compareLogIds(one.id, id) > 0);
    return { position: next?.position ?? this.head };
  }

  #idsOf(shard: number): { readonly id: string; readonly position: number }[] {
    return this.held.filter(({ id }) => this.shards.ofId(id) === shard);
  }
}

type Step =
  | {
      readonly do: 'append';
      readonly shard: number;
      readonly entries: { type: string; room: string | undefined; key: string | undefined }[];
    }
  | { readonly do: 'reset'; readonly shard: number }
  | { readonly do: 'forget' };

const shard = fc.nat(3);
const append: fc.Arbitrary<Step> = fc.record({
  do: fc.constant('append' as const),
  shard,
  entries: fc.array(
    fc.record({
      type: fc.constantFrom('wide', 'value', 'other'),
      room: fc.constantFrom(undefined, ...ROOMS),
      key: fc.constantFrom(undefined, undefined, 'k', 'l'),
    }),
    { minLength: 1, maxLength: 6 },
  ),
});
const reset: fc.Arbitrary<Step> = fc.record({ do: fc.constant('reset' as const), shard });
const forget: fc.Arbitrary<Step> = fc.record({ do: fc.constant('forget' as const) });

/** Runs the steps on both and compares all that can be asked, except what `forget` may make more careful. */
function compare(
  maxEvents: number,
  count: number,
  steps: readonly Step[],
  check: (timeline: Timeline, plain: PlainTimeline) => void,
): void {
  const shards = new Shards(count);
  const timeline = new Timeline(TYPES, { maxEvents, maxBytes: 1e9 }, new Counters(), shards);
  const plain = new PlainTimeline(maxEvents, shards);
  const numbers = Array.from({ length: count }, (_, shard) => shard);
  for (const shard of numbers) {
    timeline.reset(shards.logId(shard, '0-0'));
    plain.reset(shards.logId(shard, '0-0'));
    timeline.caughtUp(shard);
  }
  let ids = 0;
  for (const step of steps) {
    if (step.do === 'append') {
      const shard = step.shard % count;
      const batch = step.entries.map((parts) => ({
        ...newEvent(parts),
        id: shards.logId(shard, idOf(++ids)),
      }));
      const touched = timeline.append(batch);
      for (const one of batch) plain.append(one);
      expect(touched).toEqual(
        new Set(
          plain.sent.filter(({ position }) => position >= plain.head - batch.length).map(({ room }) => room),
        ),
      );
    } else if (step.do === 'reset') {
      ids += 2;
      const floor = shards.logId(step.shard % count, idOf(ids));
      timeline.reset(floor);
      plain.reset(floor);
    } else {
      timeline.forgetEmptyRooms(timeline.head);
    }
    const cursorAt = (position: number, of: readonly number[]): string =>
      shards.cursorOf(of.map((shard) => plain.idBefore(shard, position)));
    expect([timeline.head, timeline.length, timeline.headCursor]).toEqual([
      plain.head,
      plain.held.length,
      cursorAt(plain.head, numbers),
    ]);
    const all = Array.from({ length: ids + 2 }, (_, nth) => [idOf(nth), `${String(nth * 10 + 5)}-3`]).flat();
    const known = all.flatMap((id) => numbers.map((shard) => shards.logId(shard, id)));
    expect(known.map((id) => [id, timeline.locate(id)])).toEqual(known.map((id) => [id, plain.locate(id)]));
    const positions = Array.from({ length: plain.head + 1 }, (_, position) => position);
    expect(positions.map((position) => timeline.cursorAt(position))).toEqual(
      positions.map((position) => cursorAt(position, numbers)),
    );
    for (const rooms of [['a'], ['b'], ['c', 'a', 'b']]) {
      const of = numbers.filter((shard) => rooms.some((room) => shards.ofRoom(room) === shard));
      expect(positions.map((position) => timeline.cursorAt(position, timeline.scopes.of(rooms)))).toEqual(
        positions.map((position) => cursorAt(position, of)),
      );
    }
    for (const room of ROOMS) {
      const events = plain.eventsOf(room);
      expect(timeline.latest(room)).toEqual(plain.latest(room));
      expect(positions.map((position) => timeline.hasNews(room, position))).toEqual(
        positions.map((position) => events.some((event) => event.position >= position)),
      );
      expect(positions.map((position) => timeline.between(room, position, plain.head - 1, 3))).toEqual(
        positions.map((position) =>
          events.filter((event) => event.position >= position && event.position < plain.head - 1).slice(0, 3),
        ),
      );
    }
    check(timeline, plain);
  }
}

describe.each([1, 2, 4])('Timeline of %i shards', (count) => {
  test('holds, finds, trims and breaks as a naive model does', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.array(fc.oneof({ weight: 6, arbitrary: append }, { weight: 1, arbitrary: reset }), {
          maxLength: 14,
        }),
        (maxEvents, steps) => {
          compare(maxEvents, count, steps, (timeline, plain) => {
            for (const room of [...ROOMS, 'unheard-of']) {
              const positions = Array.from({ length: plain.head + 1 }, (_, position) => position);
              expect([room, positions.map((position) => timeline.isWhole(room, position))]).toEqual([
                room,
                positions.map((position) => plain.isWhole(room, position)),
              ]);
            }
          });
        },
      ),
      { numRuns: 40 },
    );
  });

  test('forgetting empty rooms never passes a loss for whole, nor what is held for lost', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.array(
          fc.oneof(
            { weight: 6, arbitrary: append },
            { weight: 1, arbitrary: reset },
            { weight: 4, arbitrary: forget },
          ),
          { maxLength: 14 },
        ),
        (maxEvents, steps) => {
          compare(maxEvents, count, steps, (timeline, plain) => {
            for (const room of [...ROOMS, 'unheard-of']) {
              for (let position = 0; position <= plain.head; position += 1) {
                const whole = timeline.isWhole(room, position);
                if (whole) expect(plain.isWhole(room, position)).toBe(true);
                if (count === 1 && position >= (plain.held[0]?.position ?? plain.head))
                  expect(whole).toBe(true);
                if (position === plain.head) expect(whole).toBe(true);
              }
            }
          });
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('Timeline', () => {
  test('a text that is no cursor is lost', () => {
    const { timeline } = timelineOf(10);
    timeline.append([entry(1)]);
    for (const cursor of ['', 'nonsense', '10', '10-0-0', '-1-0'])
      expect(timeline.locate(cursor)).toBe('lost');
  });

  test('a shard that is forgotten leaves nothing, and no cursor speaks of it before it was read again', () => {
    const shards = new Shards(4);
    const counters = new Counters();
    const timeline = new Timeline(TYPES, { maxEvents: 10, maxBytes: 100_000 }, counters, shards);
    const inShard = (shard: number, count: number, room: string): LogEntry => ({
      ...entry(count, { room, key: 'k', dataJson: String(count) }),
      id: shards.logId(shard, idOf(count)),
    });
    for (const shard of [1, 3]) {
      timeline.reset(shards.logId(shard, '0-0'));
      timeline.caughtUp(shard);
    }
    // Room a lies in 3, b in 1.
    for (let count = 1; count <= 30; count += 1)
      timeline.append([inShard(3, count, 'a'), inShard(1, count, 'b')]);
    timeline.forget(3);
    expect([timeline.length, timeline.latest('a'), timeline.latest('b').length]).toEqual([5, [], 1]);
    expect(timeline.headCursor).toBe(shards.cursorOf([shards.logId(1, idOf(30))]));
    const before = timeline.head;
    timeline.reset(shards.logId(3, idOf(20)));
    expect([timeline.head, timeline.isWhole('a', before), timeline.isWhole('a', before - 1)]).toEqual([
      before,
      true,
      false,
    ]);
    timeline.append([inShard(3, 21, 'a')]);
    expect(shards.idsIn(timeline.headCursor)?.has(3)).toBe(false);
    expect(shards.idsIn(timeline.cursorAt(timeline.head, timeline.scopes.of(['a'])))?.size).toBe(0);
    timeline.caughtUp(3);
    expect(shards.idsIn(timeline.headCursor)?.size).toBe(2);
    expect(timeline.locate(shards.logId(3, idOf(21)))).toEqual({ position: timeline.head });
  });

  test('a break is one even when nothing had been read yet', () => {
    const { timeline } = timelineOf(10);
    timeline.reset('0-0');
    const before = timeline.head;
    timeline.reset('70-0');
    expect(timeline.isWhole('a', before)).toBe(false);
    expect(timeline.isWhole('a', timeline.head)).toBe(true);
  });

  test('is bounded by bytes too', () => {
    const { timeline } = timelineOf(1000, 10_000);
    for (let count = 1; count <= 100; count += 1)
      timeline.append([entry(count, { dataJson: `"${'x'.repeat(798)}"` })]);
    expect(timeline.length).toBeGreaterThan(5);
    expect(timeline.length).toBeLessThan(10);
    expect(timeline.locate(idOf(1))).toBe('lost');
  });

  test('newest values outlive their events, within bounds; those that go are counted', () => {
    const { timeline, counters } = timelineOf(10, 100_000);
    for (let count = 1; count <= 15; count += 1) timeline.append([keyed(count)]);
    expect(timeline.latest('a')).toHaveLength(15);
    expect(counters.get('snapshot_values_forgotten')).toBe(0);
    for (let count = 16; count <= 200; count += 1) timeline.append([keyed(count)]);
    // A quarter of the bytes for values whose events are gone, beside those of the ten events held.
    const kept = timeline.latest('a').length;
    expect(kept).toBeGreaterThan(25);
    expect(kept).toBeLessThan(40);
    expect(counters.get('snapshot_values_forgotten')).toBe(200 - kept);
    expect(timeline.latest('a').at(-1)?.key).toBe('k200');
  });

  test('a value that is superseded no longer counts as kept', () => {
    const { timeline, counters } = timelineOf(1, 100_000);
    for (let count = 1; count <= 2000; count += 1)
      timeline.append([entry(count, { key: `k${String(count % 3)}`, dataJson: `"${'x'.repeat(798)}"` })]);
    expect(timeline.latest('a')).toHaveLength(3);
    expect(counters.get('snapshot_values_forgotten')).toBe(0);
  });
});
