import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { coalesce } from '../../../../src/core/delivery/coalesce.js';
import type { Event } from '../../../../src/core/event.js';
import { newEvent } from '../../../support/new-event.js';

const slots = fc.array(fc.constantFrom<string | null>(null, null, 'a', 'b', 'c'), { maxLength: 60 });

function eventsOf(all: readonly (string | null)[]): Event[] {
  return all.map((slot, position) => ({
    ...newEvent(),
    room: 'a',
    id: `1-${String(position)}`,
    slot,
    position,
  }));
}

describe('coalesce', () => {
  test('keeps the last value of each slot and every append event, in order, and nothing else', () => {
    fc.assert(
      fc.property(slots, (all) => {
        const events = eventsOf(all);
        const expected = events.filter(
          ({ slot, position }) => slot === null || all.lastIndexOf(slot) === position,
        );
        expect(coalesce(events)).toEqual(expected);
      }),
    );
  });

  test('done twice is done once', () => {
    fc.assert(
      fc.property(slots, (all) => {
        const once = coalesce(eventsOf(all));
        expect(coalesce(once)).toEqual(once);
      }),
    );
  });

  test('parts coalesced and then joined lose nothing', () => {
    fc.assert(
      fc.property(slots, fc.nat(60), (all, cut) => {
        const events = eventsOf(all);
        const parts = [...coalesce(events.slice(0, cut)), ...coalesce(events.slice(cut))];
        expect(coalesce(parts)).toEqual(coalesce(events));
      }),
    );
  });

  test('does not change what it is given', () => {
    const events = Object.freeze(eventsOf(['a', null, 'a']));
    expect(coalesce(events)).toHaveLength(2);
  });
});
