import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Slice, Wire } from '../../../../src/core/delivery/slice.js';
import { coalesce } from '../../../../src/core/delivery/coalesce.js';
import { Slicer } from '../../../../src/core/delivery/slicer.js';
import { Timeline } from '../../../../src/core/delivery/timeline.js';
import { type Event, eventToJson, type NewEvent } from '../../../../src/core/event.js';
import { EventTypes } from '../../../../src/core/event-types.js';
import { Counters } from '../../../../src/core/metrics/counters.js';
import { newEvent, numbered } from '../../../support/new-event.js';

const MAX_BYTES = 256 * 1024;

function setUp(events: readonly NewEvent[] = []) {
  const timeline = new Timeline(
    new EventTypes(new Map(), ['default']),
    { maxEvents: 50_000, maxBytes: 1e9 },
    new Counters(),
  );
  timeline.reset('e', 'e.0-0');
  let count = 0;
  const publish = (all: readonly NewEvent[]): void => {
    timeline.append(all.map((event) => ({ ...event, id: `${String(++count)}-0` })));
  };
  publish(events);
  return { timeline, slicer: new Slicer(timeline), publish };
}

/** All slices from position 0 to the head, as a session alone in the room would be given them. */
function walk(slicer: Slicer, room: string, to: number): Slice[] {
  const slices: Slice[] = [];
  for (let from = 0; from < to; ) {
    const slice = slicer.slice(room, from, to);
    if (slice === undefined) break;
    expect(slice.end).toBeGreaterThan(from);
    slices.push(slice);
    from = slice.end;
  }
  return slices;
}

describe('Slicer', () => {
  test('no news, no slice', () => {
    const { slicer, timeline } = setUp(numbered(0, 3));
    expect(slicer.slice('b', 0, timeline.head)).toBeUndefined();
    expect(slicer.slice('a', timeline.head, timeline.head)).toBeUndefined();
    expect(slicer.slice('a', 0, 0)).toBeUndefined();
    expect(slicer.snapshot('b')).toEqual([]);
  });

  test('a slice is the coalesced stretch, ends where it was asked to and knows its cursor', () => {
    const { slicer, timeline, publish } = setUp(numbered(0, 2));
    publish([
      newEvent({ key: 'k', dataJson: '1' }),
      newEvent({ key: 'k', dataJson: '2' }),
      ...numbered(7, 8, 'b'),
    ]);
    const slice = slicer.slice('a', 1, timeline.head);
    expect(slice?.events.map(({ dataJson }) => dataJson)).toEqual(['1', '2']);
    expect(slice).toMatchObject({ end: 5, cursor: 'e.5-0' });
  });

  test('sessions that need the same events share the slice, wherever they stand', () => {
    const { slicer, timeline, publish } = setUp(numbered(0, 5, 'b'));
    publish(numbered(5, 8));
    const slice = slicer.slice('a', 0, timeline.head);
    for (const from of [1, 3, 5]) expect(slicer.slice('a', from, timeline.head)).toBe(slice);
    expect(slicer.slice('a', 6, timeline.head)).not.toBe(slice);
    expect(slicer.slice('a', 0, timeline.head - 1)).not.toBe(slice);
    expect(slicer.snapshot('a')).toBe(slicer.snapshot('a'));
    slicer.forget();
    expect(slicer.slice('a', 0, timeline.head)).not.toBe(slice);
    expect(slicer.slice('a', 0, timeline.head)).toEqual(slice);
  });

  test('encodes a slice once for each wire', () => {
    const { slicer, timeline } = setUp(numbered(0, 3));
    const encoded: Slice[] = [];
    const wire = (name: string): Wire<{ name: string }> => ({
      name,
      encode: (slice) => {
        encoded.push(slice);
        return { name };
      },
    });
    const [one, other] = [wire('one'), wire('other')];
    const slice = slicer.slice('a', 0, timeline.head) as Slice;
    expect(slice.frame(one)).toBe(slice.frame(one));
    expect(slice.frame(other)).toEqual({ name: 'other' });
    expect(slice.frame(one)).toEqual({ name: 'one' });
    expect(encoded).toEqual([slice, slice]);
  });

  test('knows its JSON', () => {
    const { slicer, timeline } = setUp(numbered(0, 3));
    const slice = slicer.slice('a', 0, timeline.head) as Slice;
    expect(slice.json).toBe(slice.events.map(eventToJson).join(','));
  });

  test('at most 1000 events in one slice', () => {
    const { slicer, timeline } = setUp(numbered(0, 2500));
    const slices = walk(slicer, 'a', timeline.head);
    expect(slices.map(({ events }) => events.length)).toEqual([1000, 1000, 500]);
    expect(slices.map(({ end, cursor }) => [end, cursor])).toEqual([
      [1000, 'e.1000-0'],
      [2000, 'e.2000-0'],
      [2500, 'e.2500-0'],
    ]);
  });

  test('at most 256 KiB in one slice, unless one event alone is larger', () => {
    const sizes = [100_000, 100_000, 100_000, 600_000, 10, 10];
    const { slicer, timeline } = setUp(sizes.map((size) => newEvent({ dataJson: `"${'x'.repeat(size)}"` })));
    const slices = walk(slicer, 'a', timeline.head);
    expect(slices.map(({ events }) => events.length)).toEqual([2, 1, 1, 2]);
    for (const { bytes, events } of slices)
      if (events.length > 1) expect(bytes).toBeLessThanOrEqual(MAX_BYTES);
  });

  test('a slice of a great many superseded events looks at 4000 of them at most', () => {
    const { slicer, timeline } = setUp(
      Array.from({ length: 10_000 }, (_, n) => newEvent({ key: 'k', dataJson: String(n) })),
    );
    const slices = walk(slicer, 'a', timeline.head);
    expect(slices.map(({ end }) => end)).toEqual([4000, 8000, 10_000]);
    expect(slices.map(({ events }) => events.map(({ dataJson }) => dataJson))).toEqual([[], [], ['9999']]);
  });

  test('slices one after the other have every append event once and in order, and each last value', () => {
    const event = fc.record({
      room: fc.constantFrom('a', 'b'),
      key: fc.constantFrom(undefined, 'k', 'l'),
      dataJson: fc.constantFrom('1', `"${'x'.repeat(90_000)}"`),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (all) => {
        const { slicer, timeline } = setUp(all.map(newEvent));
        const room = timeline.between('a', 0, timeline.head, 1000);
        const got: Event[] = walk(slicer, 'a', timeline.head).flatMap(({ events, end, cursor }) => {
          expect(cursor).toBe(timeline.cursorAt(end));
          expect(events.every(({ position }) => position < end)).toBe(true);
          return [...events];
        });
        expect(coalesce(got)).toEqual(coalesce(room));
        expect(got.map(({ position }) => position)).toEqual(
          [...new Set(got.map(({ position }) => position))].sort((a, b) => a - b),
        );
      }),
      { numRuns: 60 },
    );
  });

  test('a snapshot is the newest of each slot, in writes of a size, all as of the head', () => {
    const values = Array.from({ length: 1500 }, (_, n) => newEvent({ key: `k${String(n)}` }));
    const { slicer, timeline } = setUp([...values, ...values.slice(0, 700), ...numbered(0, 5)]);
    const slices = slicer.snapshot('a');
    expect(slices.map(({ events }) => events.length)).toEqual([1000, 500]);
    expect(new Set(slices.flatMap(({ events }) => events.map(({ key }) => key))).size).toBe(1500);
    for (const slice of slices)
      expect(slice).toMatchObject({ end: timeline.head, cursor: timeline.headCursor });
  });

  test('a snapshot is taken anew when the room has moved', () => {
    const { slicer, publish } = setUp([newEvent({ key: 'k', dataJson: '1' })]);
    const before = slicer.snapshot('a');
    publish([newEvent({ key: 'k', dataJson: '2' })]);
    expect(before[0]?.events[0]?.dataJson).toBe('1');
    expect(slicer.snapshot('a')[0]?.events[0]?.dataJson).toBe('2');
  });
});
