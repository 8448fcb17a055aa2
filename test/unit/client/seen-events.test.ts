import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { isNewer } from '../../../src/client/event-id.js';
import { SeenEvents } from '../../../src/client/seen-events.js';
import type { GatewayEvent } from '../../../src/client/wire.js';

function eventOf(id: string | number, parts: Partial<GatewayEvent> = {}): GatewayEvent {
  return {
    id: typeof id === 'number' ? `${String(id)}-0` : id,
    type: 't',
    room: 'a',
    data: 1,
    timestamp: 0,
    ...parts,
  };
}

describe('isNewer', () => {
  it('orders ids of any length as numbers', () => {
    const part = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 20n }));
    fc.assert(
      fc.property(part, part, part, part, (ms, sequence, otherMs, otherSequence) => {
        const newer = ms === otherMs ? sequence > otherSequence : ms > otherMs;
        const ids = [
          `${String(ms)}-${String(sequence)}`,
          `${String(otherMs)}-${String(otherSequence)}`,
        ] as const;
        expect(isNewer(...ids)).toBe(newer);
        expect(isNewer(ids[0], '')).toBe(true);
      }),
    );
  });
});

describe('SeenEvents', () => {
  it('knows an event by its room, type and key', () => {
    const seen = new SeenEvents();
    expect(seen.add(eventOf(5))).toBe(true);
    expect(seen.add(eventOf(5))).toBe(false);
    expect(seen.add(eventOf(4, { room: 'b' }))).toBe(true);
    expect(seen.add(eventOf(3, { type: 'u' }))).toBe(true);
    expect(seen.add(eventOf(2, { key: 'k' }))).toBe(true);
    expect(seen.add(eventOf(1, { key: 'k k' }))).toBe(true);
    expect(seen.add(eventOf(1, { key: 'k' }))).toBe(false);
  });

  it('takes no event without a key that is older than one of its type, whatever its data has', () => {
    const seen = new SeenEvents();
    expect(seen.add(eventOf(9, { data: { cpu: 1 } }))).toBe(true);
    expect(seen.add(eventOf(8, { data: { disk: 1 } }))).toBe(false);
    expect(seen.add(eventOf(8, { data: { disk: 1 } }), true)).toBe(true);
  });

  it.each([{ key: 'k' }, { data: { a: 1 } }, { data: [1] }, { data: null }])(
    'of a room that begins anew the newest of %j comes once more, and no other',
    (parts) => {
      const seen = new SeenEvents();
      const add = (id: number, room = 'a'): boolean => seen.add(eventOf(id, { ...parts, room }));
      expect([add(1), add(2), add(2, 'ab')]).toEqual([true, true, true]);
      seen.repeat('a');
      expect([add(1), add(2), add(2), add(2, 'ab')]).toEqual([false, true, false, false]);
      seen.repeat();
      expect([add(3), add(3), add(2, 'ab'), add(2, 'ab')]).toEqual([true, false, true, false]);
      seen.repeat();
      seen.goOn(new Map([['ab', 0]]));
      expect([add(3), add(2, 'ab')]).toEqual([false, true]);
    },
  );

  it('forgets what has not changed for longest, and then takes an older value, but the newest after it', () => {
    const seen = new SeenEvents();
    const add = (id: number, key: string): boolean => seen.add(eventOf(id, { key }));
    add(5, 'often');
    add(5, 'seldom');
    for (let n = 0; n < 19_998; n += 1) add(7, String(n));
    add(6, 'often');
    expect([add(5, 'seldom'), add(7, '0')]).toEqual([false, false]);
    add(7, 'one more');
    expect([add(4, 'seldom'), add(5, 'seldom'), add(5, 'often'), add(6, 'often')]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});
