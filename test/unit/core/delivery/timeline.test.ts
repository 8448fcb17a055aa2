import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { Timeline } from '../../../../src/core/delivery/timeline.js';
import type { Event, LogEntry } from '../../../../src/core/event.js';
import { EventTypes } from '../../../../src/core/event-types.js';
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
  readonly sent: Event[] = [];
  readonly breaks: number[] = [];
  head = 0;
  floor = '0-0';

  constructor(readonly maxEvents: number) {}

  append(one: LogEntry): void {
    const position = this.head++;
    this.sent.push(...TYPES.place(one, position));
    this.held.push({ id: one.id, position });
    if (this.held.length > this.maxEvents) this.floor = (this.held.shift() as { id: string }).id;
  }

  reset(floor: string): void {
    this.held = [];
    this.head += 1;
    this.breaks.push(this.head);
    this.floor = floor;
  }

  /** The oldest position from which everything is held. */
  get oldest(): number {
    return this.held[0]?.position ?? this.head;
  }

  isWhole(room: string, from: number): boolean {
    const missing = this.sent.some(
      (event) => event.room === room && event.position >= from && event.position < this.oldest,
    );
    return !missing && this.breaks.every((position) => from >= position);
  }

  eventsOf(room: string): Event[] {
    return this.sent.filter((event) => event.room === room && event.position >= this.oldest);
  }

  latest(room: string): Event[] {
    const all = this.sent.filter((event) => event.room === room);
    return all.filter(
      ({ slot, position }) =>
        slot !== null && !all.some((other) => other.slot === slot && other.position > position),
    );
  }

  locate(cursor: string): unknown {
    if (compareLogIds(cursor, this.floor) < 0) return 'lost';
    if (compareLogIds(cursor, this.held.at(-1)?.id ?? this.floor) > 0) return 'ahead';
    // An id that the log never gave.
    if (![this.floor, ...this.held.map(({ id }) => id)].includes(cursor)) return 'lost';
    const next = this.held.find(({ id }) => compareLogIds(id, cursor) > 0);
    return { position: next?.position ?? this.head };
  }
}

type Step =
  | {
      readonly do: 'append';
      readonly entries: { type: string; room: string | undefined; key: string | undefined }[];
    }
  | { readonly do: 'reset' }
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
const reset: fc.Arbitrary<Step> = fc.record({ do: fc.constant('reset' as const) });
const forget: fc.Arbitrary<Step> = fc.record({ do: fc.constant('forget' as const) });

/** Runs the steps on both and compares all that can be asked, except what `forget` may make more careful. */
function compare(
  maxEvents: number,
  steps: readonly Step[],
  check: (timeline: Timeline, plain: PlainTimeline) => void,
): void {
  const { timeline } = timelineOf(maxEvents);
  const plain = new PlainTimeline(maxEvents);
  timeline.reset('0-0');
  let count = 0;
  for (const step of steps) {
    if (step.do === 'append') {
      const batch = step.entries.map((parts) => entry(++count, parts));
      const touched = timeline.append(batch);
      for (const one of batch) plain.append(one);
      expect(touched).toEqual(
        new Set(
          plain.sent.filter(({ position }) => position >= plain.head - batch.length).map(({ room }) => room),
        ),
      );
    } else if (step.do === 'reset') {
      count += 2;
      timeline.reset(idOf(count));
      plain.reset(idOf(count));
    } else {
      timeline.forgetEmptyRooms(timeline.head);
    }
    expect([timeline.head, timeline.length, timeline.headCursor]).toEqual([
      plain.head,
      plain.held.length,
      plain.held.at(-1)?.id ?? plain.floor,
    ]);
    for (let cursor = 0; cursor <= count + 1; cursor += 1) {
      for (const id of [idOf(cursor), `${String(cursor * 10 + 5)}-3`])
        expect([id, timeline.locate(id)]).toEqual([id, plain.locate(id)]);
    }
    for (let position = 0; position <= plain.head; position += 1) {
      expect(timeline.cursorAt(position)).toBe(
        plain.held.find((one) => one.position === position - 1)?.id ?? plain.floor,
      );
    }
    for (const room of ROOMS) {
      const events = plain.eventsOf(room);
      expect(timeline.latest(room)).toEqual(plain.latest(room));
      for (let position = 0; position <= plain.head; position += 1) {
        expect(timeline.hasNews(room, position)).toBe(events.some((event) => event.position >= position));
        expect(timeline.between(room, position, plain.head - 1, 3)).toEqual(
          events.filter((event) => event.position >= position && event.position < plain.head - 1).slice(0, 3),
        );
      }
    }
    check(timeline, plain);
  }
}

describe('Timeline', () => {
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
              for (let position = 0; position <= plain.head; position += 1) {
                expect([room, position, timeline.isWhole(room, position)]).toEqual([
                  room,
                  position,
                  plain.isWhole(room, position),
                ]);
              }
            }
          });
        },
      ),
      { numRuns: 60 },
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
                if (position >= plain.oldest) expect(whole).toBe(true);
              }
            }
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  test('a text that is no cursor is lost', () => {
    const { timeline } = timelineOf(10);
    timeline.append([entry(1)]);
    for (const cursor of ['', 'nonsense', '10', '10-0-0', '-1-0'])
      expect(timeline.locate(cursor)).toBe('lost');
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
