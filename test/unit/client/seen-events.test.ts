import { describe, expect, it } from '@jest/globals';
import { SeenEvents } from '../../../src/client/seen-events.js';

describe('SeenEvents', () => {
  it('knows an event by its room and id', () => {
    const seen = new SeenEvents();
    expect([seen.add('a', '1'), seen.add('a', '1'), seen.add('b', '1'), seen.has('c', '1')]).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });

  it('forgets a room, and no other', () => {
    const seen = new SeenEvents();
    seen.add('a', '1');
    seen.add('ab', '1');
    seen.forget('a');
    expect([seen.add('a', '1'), seen.add('ab', '1')]).toEqual([true, false]);
    seen.forget();
    expect(seen.add('ab', '1')).toBe(true);
  });

  it('keeps all since the last cursor, and some before, within bounds', () => {
    const seen = new SeenEvents();
    const add = (from: number, to: number): number => {
      let fresh = 0;
      for (let n = from; n < to; n += 1) if (seen.add('a', String(n))) fresh += 1;
      return fresh;
    };
    add(0, 20_000);
    expect(add(0, 20_000)).toBe(0);
    seen.settle();
    add(20_000, 21_500);
    expect(add(19_000, 21_500)).toBe(0);
    seen.settle();
    expect(add(20_500, 21_500)).toBe(0);
    // Of what came before the cursor before the last one, nothing can be repeated.
    expect(seen.has('a', '0')).toBe(false);
    add(100_000, 250_000);
    expect(seen.has('a', '100000')).toBe(false);
  });
});
