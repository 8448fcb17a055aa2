import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import {
  compareLogIds,
  FIRST_LOG_ID,
  isLogId,
  LAST_LOG_ID,
  logIdBefore,
  msOf,
} from '../../../../src/core/log/log-id.js';

const MAX = 2n ** 64n - 1n;
const part = fc.oneof(
  fc.bigInt({ min: 0n, max: 3n }),
  fc.bigInt({ min: 0n, max: MAX }),
  fc.bigInt({ min: MAX - 3n, max: MAX }),
);
const parts = fc.tuple(part, part);
const idOf = ([ms, sequence]: readonly [bigint, bigint]): string => `${String(ms)}-${String(sequence)}`;

const signOf = (difference: bigint): number => (difference === 0n ? 0 : difference < 0n ? -1 : 1);

describe('log ids', () => {
  test('are ordered by time, then by sequence, as numbers', () => {
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        const expected = signOf(a[0] - b[0]) || signOf(a[1] - b[1]);
        expect(Math.sign(compareLogIds(idOf(a), idOf(b)))).toBe(expected);
      }),
    );
  });

  test('sort the same from any order', () => {
    fc.assert(
      fc.property(fc.array(parts), (all) => {
        const sorted = all.map(idOf).sort(compareLogIds);
        const byNumber = [...all].sort((a, b) => signOf(a[0] - b[0]) || signOf(a[1] - b[1])).map(idOf);
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
      '01-0',
      '1-00',
      `${'9'.repeat(20)}-0`,
      `0-${String(MAX + 1n)}`,
      `${'9'.repeat(21)}-0`,
    ];
    expect(others.filter(isLogId)).toEqual([]);
    expect(isLogId(LAST_LOG_ID)).toBe(true);
    expect(msOf('1732219200123456-7')).toBe(1_732_219_200_123_456);
  });
});
