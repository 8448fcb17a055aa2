import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { shorten } from '../../../../src/core/delivery/backlog.js';
import { coalesce } from '../../../../src/core/delivery/coalesce.js';
import type { Event } from '../../../../src/core/event.js';
import { newEvent } from '../../../support/new-event.js';

const eventOf = (room: string, slot: string | null, position: number): Event => ({
  ...newEvent({ room }),
  id: `${String(position)}-0`,
  room,
  slot,
  position,
});

const events = fc
  .array(fc.tuple(fc.constantFrom('a', 'b'), fc.constantFrom(null, null, 'x', 'y', 'z')), { maxLength: 60 })
  .map((list) => list.map(([room, slot], position) => eventOf(room, slot, position)));

describe('shorten', () => {
  test('leaves out the oldest append events, and nothing else', () => {
    const all = [
      eventOf('a', null, 0),
      eventOf('a', 'k', 1),
      eventOf('b', null, 2),
      eventOf('b', null, 3),
      eventOf('a', 'k', 4),
    ];
    const { events: left, dropped } = shorten(all, { maxEvents: 2, maxBytes: Infinity }, () => 1);
    expect([left.map(({ position }) => position), dropped]).toEqual([[3, 4], 2]);
  });

  test('property: the newest of each slot always stays; the append events left are the newest; order stays', () => {
    fc.assert(
      fc.property(events, fc.nat(40), fc.nat(40), (all, maxEvents, maxBytes) => {
        const { events: left, dropped } = shorten(all, { maxEvents, maxBytes }, () => 1);
        const awaiting = ['a', 'b'].flatMap((name) => coalesce(all.filter(({ room }) => room === name)));
        const latest = awaiting.filter(({ slot }) => slot !== null);
        const appended = awaiting.filter(({ slot }) => slot === null).sort((a, b) => a.position - b.position);
        const fits = Math.max(0, Math.min(maxEvents, maxBytes) - latest.length);
        expect(left.filter(({ slot }) => slot === null)).toEqual(fits === 0 ? [] : appended.slice(-fits));
        expect(new Set(left.filter(({ slot }) => slot !== null))).toEqual(new Set(latest));
        expect(dropped).toBe(awaiting.length - left.length);
        expect(left.map(({ position }) => position)).toEqual(
          left.map(({ position }) => position).sort((a, b) => a - b),
        );
      }),
    );
  });
});
