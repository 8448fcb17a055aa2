import { describe, expect, it } from '@jest/globals';
import { SeenIds } from '../../../src/console/seen-ids.js';

describe('SeenIds', () => {
  it('knows an id again', () => {
    const seen = new SeenIds(10);
    expect([seen.add('1-0'), seen.add('1-1'), seen.add('1-0')]).toEqual([true, true, false]);
  });

  it('remembers at least as many as it says', () => {
    const seen = new SeenIds(100);
    for (let n = 0; n < 1000; n += 1) {
      expect(seen.add(String(n))).toBe(true);
      if (n >= 99) expect(seen.add(String(n - 99))).toBe(false);
    }
  });

  it('forgets, so that a page may stay open for weeks', () => {
    const seen = new SeenIds(100);
    for (let n = 0; n < 1000; n += 1) seen.add(String(n));
    const known = Array.from({ length: 1000 }, (_, n) => seen.add(String(n))).filter((isNew) => !isNew);
    expect(known.length).toBeLessThanOrEqual(200);
  });
});
