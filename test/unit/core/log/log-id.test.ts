import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { compareLogIds, FIRST_LOG_ID, isLogId, logIdBefore } from '../../../../src/core/log/log-id.js';

const part = fc.oneof(fc.nat(3), fc.integer({ min: 0, max: 999_999_999_999_999 }));
const parts = fc.tuple(part, part);
const idOf = ([ms, sequence]: readonly [number, number]): string => `${String(ms)}-${String(sequence)}`;

describe('log ids', () => {
  test('are ordered by time, then by sequence, as numbers', () => {
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        const expected = Math.sign(a[0] - b[0]) || Math.sign(a[1] - b[1]);
        expect(Math.sign(compareLogIds(idOf(a), idOf(b)))).toBe(expected);
      }),
    );
  });

  test('sort the same from any order', () => {
    fc.assert(
      fc.property(fc.array(parts), (all) => {
        const sorted = all.map(idOf).sort(compareLogIds);
        const byNumber = [...all].sort((a, b) => a[0] - b[0] || a[1] - b[1]).map(idOf);
        expect(sorted).toEqual(byNumber);
      }),
    );
  });

  test('each has one right before it, with nothing between', () => {
    fc.assert(
      fc.property(parts, parts, (one, other) => {
        const before = logIdBefore(idOf(one));
        expect(isLogId(before)).toBe(true);
        if (idOf(one) === FIRST_LOG_ID) return expect(before).toBe(FIRST_LOG_ID);
        expect(compareLogIds(before, idOf(one))).toBeLessThan(0);
        const isBefore = compareLogIds(idOf(other), idOf(one)) < 0;
        expect(compareLogIds(idOf(other), before) <= 0).toBe(isBefore);
      }),
    );
  });

  test('have a form, and nothing else has it', () => {
    fc.assert(
      fc.property(parts, (one) => {
        expect(isLogId(idOf(one))).toBe(true);
        expect(compareLogIds(FIRST_LOG_ID, idOf(one))).toBeLessThanOrEqual(0);
      }),
    );
    const others = [
      '',
      '-',
      '1',
      '1-',
      '-1',
      '1-1-1',
      'a-1',
      '1.5-0',
      ' 1-0',
      '1-0\n',
      '-1-0',
      '1-0x',
      '$',
      '+',
      `${'9'.repeat(16)}-0`,
    ];
    expect(others.filter(isLogId)).toEqual([]);
  });
});
