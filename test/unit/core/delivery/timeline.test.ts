import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { Timeline } from '../../../../src/core/delivery/timeline.js';
import type { Event, LogEntry } from '../../../../src/core/event.js';
import { EventTypes } from '../../../../src/core/event-types.js';
import { formatCursor } from '../../../../src/core/log/cursor.js';
import { compareLogIds } from '../../../../src/core/log/log-id.js';
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
  sent: Event[] = [];
  readonly breaks: number[] = [];
  head = 0;
  epoch = '';
  #floor = '0-0';
  #hasBegun = false;
  /** Rooms' newest values, of this epoch. */
  #epochStart = 0;

  constructor(readonly maxEvents: number) {}

  append(one: LogEntry): void {
    const position = this.head++;
    this.sent.push(...TYPES.place(one, position));
    this.held.push({ id: one.id, position });
    if (this.held.length > this.maxEvents) this.#floor = (this.held.shift() as { id: string }).id;
  }

  reset(epoch: string, floor: string): void {
    this.held = [];
    if (this.#hasBegun) this.head += 1;
    this.#hasBegun = true;
    if (epoch !== this.epoch) this.#epochStart = this.head;
    this.epoch = epoch;
    this.breaks.push(this.head);
    this.#floor = floor;
  }

  isHeld(position: number): boolean {
    return this.held.some((one) => one.position === position);
  }

  isWhole(room: string, from: number): boolean {
    const missing = this.sent.some(
      (event) => event.room === room && event.position >= from && !this.isHeld(event.position),
    );
    return !missing && this.breaks.every((position) => from >= position);
  }

  eventsOf(room: string): Event[] {
    return this.sent.filter((event) => event.room === room && this.isHeld(event.position));
  }

  latest(room: string): Event[] {
    const all = this.sent.filter((event) => event.room === room && event.position >= this.#epochStart);
    return all.filter(
      ({ slot, position }) =>
        slot !== null && !all.some((other) => other.slot === slot && other.position > position),
    );
  }

  /** The cursor of a position. */
  cursorAt(position: number): string {
    const before = this.held.findLast((one) => one.position < position);
    return formatCursor(this.epoch, before?.id ?? this.#floor);
  }

  lossAt(position: number): string {
    return position < this.#epochStart ? 'unknown_cursor' : 'trimmed';
  }

  locate(id: string): unknown {
    if (compareLogIds(id, this.#floor) < 0) return 'trimmed';
    if (compareLogIds(id, this.held.at(-1)?.id ?? this.#floor) > 0) return 'ahead';
    // An id that the log never gave.
    if (![this.#floor, ...this.held.map((one) => one.id)].includes(id)) return 'unknown_cursor';
    const next = this.held.find((one) => compareLogIds(one.id, id) > 0);
    return { position: next?.position ?? this.head };
  }
}

type Step =
  | {
      readonly do: 'append';
      readonly entries: { type: string; room: string | undefined; key: string | undefined }[];
    }
  | { readonly do: 'reset'; readonly isNew: boolean }
  | { readonly do: 'forget' };

const append: fc.Arbitrary<Step> = fc.record({
  do: fc.constant('append' as const),
  entries: fc.array(
    fc.record({
      type: fc.constantFrom('wide', 'value', 'other'),
      room: fc.constantFrom(undefined, ...ROOMS),
      key: fc.constantFrom(undefined, undefined, 'k', 'l'),
    }),
    { minLength: 1, maxLength: 6 },
  ),
});
const reset: fc.Arbitrary<Step> = fc.record({ do: fc.constant('reset' as const), isNew: fc.boolean() });
const forget: fc.Arbitrary<Step> = fc.record({ do: fc.constant('forget' as const) });

/** Runs the steps on both and compares all that can be asked, except what `forget` may make more careful. */
function compare(
  maxEvents: number,
  steps: readonly Step[],
  check: (timeline: Timeline, plain: PlainTimeline) => void,
): void {
  const timeline = new Timeline(TYPES, { maxEvents, maxBytes: 1e9 }, new Counters());
  const plain = new PlainTimeline(maxEvents);
  let epoch = 0;
  const begin = (floor: string): void => {
    timeline.reset(`e${String(epoch)}`, floor);
    plain.reset(`e${String(epoch)}`, floor);
  };
  begin('0-0');
  timeline.caughtUp();
  let ids = 0;
  for (const step of steps) {
    if (step.do === 'append') {
      const batch = step.entries.map((parts) => ({ ...newEvent(parts), id: idOf(++ids) }));
      const touched = timeline.append(batch);
      for (const one of batch) plain.append(one);
      expect(touched).toEqual(
        new Set(
          plain.sent.filter(({ position }) => position >= plain.head - batch.length).map(({ room }) => room),
        ),
      );
    } else if (step.do === 'reset') {
      if (step.isNew) epoch += 1;
      ids = step.isNew ? 0 : ids + 2;
      begin(idOf(ids));
    } else {
      timeline.forgetEmptyRooms(timeline.head);
    }
    expect([timeline.head, timeline.length, timeline.epoch, timeline.headCursor]).toEqual([
      plain.head,
      plain.held.length,
      plain.epoch,
      plain.cursorAt(plain.head),
    ]);
    const all = Array.from({ length: ids + 2 }, (_, nth) => [idOf(nth), `${String(nth * 10 + 5)}-3`]).flat();
    expect(all.map((id) => [id, timeline.locate(formatCursor(plain.epoch, id))])).toEqual(
      all.map((id) => [id, plain.locate(id)]),
    );
    for (const cursor of [...all, ...all.map((id) => formatCursor('other', id))])
      expect(timeline.locate(cursor)).toBe('unknown_cursor');
    const positions = Array.from({ length: plain.head + 1 }, (_, position) => position);
    expect(positions.map((position) => [timeline.cursorAt(position), timeline.lossAt(position)])).toEqual(
      positions.map((position) => [plain.cursorAt(position), plain.lossAt(position)]),
    );
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

describe('Timeline, beside a naive model', () => {
  test('holds, finds, trims and breaks as a naive model does', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.array(fc.oneof({ weight: 6, arbitrary: append }, { weight: 1, arbitrary: reset }), {
          maxLength: 14,
        }),
        (maxEvents, steps) => {
          compare(maxEvents, steps, (timeline, plain) => {
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
          compare(maxEvents, steps, (timeline, plain) => {
            for (const room of [...ROOMS, 'unheard-of']) {
              for (let position = 0; position <= plain.head; position += 1) {
                const whole = timeline.isWhole(room, position);
                if (whole) expect(plain.isWhole(room, position)).toBe(true);
                if (position >= (plain.held[0]?.position ?? plain.head)) expect(whole).toBe(true);
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
  test('a text that is no cursor is unknown', () => {
    const { timeline } = timelineOf(10);
    timeline.reset('e', '0-0');
    timeline.append([entry(1)]);
    for (const cursor of ['', 'nonsense', '10', '10-0', 'e.10-0-0', 'e.-1-0', 'e.'])
      expect(timeline.locate(cursor)).toBe('unknown_cursor');
  });

  test('a break is one even when nothing had been read yet', () => {
    const { timeline } = timelineOf(10);
    timeline.reset('e', '0-0');
    const before = timeline.head;
    timeline.reset('e', '70-0');
    expect(timeline.isWhole('a', before)).toBe(false);
    expect(timeline.isWhole('a', timeline.head)).toBe(true);
  });

  test('is bounded by bytes too', () => {
    const { timeline } = timelineOf(1000, 10_000);
    timeline.reset('e', '0-0');
    for (let count = 1; count <= 100; count += 1)
      timeline.append([entry(count, { dataJson: `"${'x'.repeat(798)}"` })]);
    expect(timeline.length).toBeGreaterThan(5);
    expect(timeline.length).toBeLessThan(10);
    expect(timeline.locate(formatCursor('e', idOf(1)))).toBe('trimmed');
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
