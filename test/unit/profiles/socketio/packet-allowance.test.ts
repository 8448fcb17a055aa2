import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { PacketAllowance } from '../../../../src/profiles/socketio/packet-allowance.js';

/** How many it gives at once. */
function takeAll(allowance: PacketAllowance, now: number): number {
  let taken = 0;
  while (allowance.take(now)) taken += 1;
  return taken;
}

describe('PacketAllowance', () => {
  test('holds what a second brings, refills by whole packets, and never holds more', () => {
    const allowance = new PacketAllowance(20, 1000);
    expect([takeAll(allowance, 1000), takeAll(allowance, 1049), takeAll(allowance, 1050)]).toEqual([
      20, 0, 1,
    ]);
    expect(takeAll(allowance, 99_000)).toBe(20);
  });

  test('property: over any time it gives at most what it held, and a refill each time one is due', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.array(fc.record({ waitMs: fc.integer({ min: 0, max: 3000 }), wanted: fc.nat(50) })),
        (perSecond, steps) => {
          const allowance = new PacketAllowance(perSecond, 0);
          let now = 0;
          let taken = 0;
          for (const { waitMs, wanted } of steps) {
            now += waitMs;
            for (let packet = 0; packet < wanted; packet += 1) if (allowance.take(now)) taken += 1;
          }
          expect(taken).toBeLessThanOrEqual(perSecond + (now * perSecond) / 1000);
          expect(takeAll(allowance, now + 1000)).toBe(perSecond);
        },
      ),
    );
  });
});
