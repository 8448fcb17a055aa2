import { describe, expect, test } from '@jest/globals';
import { crc32 } from '../../../../src/core/log/crc32.js';

describe('crc32', () => {
  // The first is the check value of the catalogue of CRCs; the others are what Python's zlib.crc32 gives.
  test.each([
    ['123456789', 3_421_780_262],
    ['', 0],
    ['a', 3_904_355_907],
    ['monitor', 3_776_289_157],
    ['The quick brown fox jumps over the lazy dog', 1_095_738_169],
    ['größe', 1_540_598_153],
    ['😀', 88_978_756],
  ])('of "%s"', (text, expected) => {
    expect(crc32(text)).toBe(expected);
  });
});
