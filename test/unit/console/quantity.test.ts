import { describe, expect, it } from '@jest/globals';
import {
  formatBytes,
  formatBytesCompact,
  formatCompact,
  formatDuration,
  formatMilliseconds,
  formatNumber,
  formatTimeOfDay,
  UNKNOWN,
} from '../../../src/console/quantity.js';

describe('quantities as people read them', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [150 * 1024 ** 2, '150 MiB'],
    [25_276_514_304, '23.5 GiB'],
    [5000 * 1024 ** 5, '5000 PiB'],
    [-1, '0 B'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it.each([
    [0, '0'],
    [512, '512'],
    [64 * 1024, '64 K'],
    [1.5 * 1024 ** 2, '1.5 M'],
  ])('%d bytes at an axis are %s', (bytes, text) => {
    expect(formatBytesCompact(bytes)).toBe(text);
  });

  it.each([
    [0.4, '0 s'],
    [59.9, '59 s'],
    [65, '1 min 5 s'],
    [3600, '1 h 0 min'],
    [3 * 86_400 + 4 * 3600 + 59, '3 d 4 h'],
    [-5, '0 s'],
  ])('%d s are %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });

  it.each([
    [0, '0'],
    [0.25, '0.3'],
    [9.94, '9.9'],
    [9.96, '10'],
    [12.4, '12'],
    [999.4, '999'],
    [999.6, '1.0 k'],
    [12_345, '12 k'],
    [999_600, '1.0 M'],
    [25_000_000, '25 M'],
  ])('%d is %s in few characters', (value, text) => {
    expect(formatCompact(value)).toBe(text);
  });

  it.each([
    [0, '0 ms'],
    [1.25, '1.3 ms'],
    [999.4, '999 ms'],
    [1000, '1 s'],
    [10_240, '10 s'],
    [61_000, '1 min 1 s'],
  ])('%d ms are %s', (ms, text) => {
    expect(formatMilliseconds(ms)).toBe(text);
  });

  it('rounds numbers to the decimals asked for', () => {
    expect([formatNumber(1.25, 2), formatNumber(2), formatNumber(7.6, 0)]).toEqual(['1.25', '2.0', '8']);
  });

  it('gives the local time of day', () => {
    const date = new Date(2024, 10, 21, 7, 5, 9, 42);
    expect(formatTimeOfDay(date.getTime() / 1000)).toBe('07:05:09.042');
  });

  it('has a mark for what is not known', () => {
    const unknown = [formatBytes, formatCompact, formatDuration, formatMilliseconds, formatNumber].map(
      (format) => format(undefined),
    );
    expect([...unknown, formatTimeOfDay(undefined), formatTimeOfDay(1e300)]).toEqual(Array(7).fill(UNKNOWN));
  });
});
