import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { fingerprint } from '../../../../src/core/control/fingerprint.js';

/** The same value with every object's fields in reverse order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, each]) => [key, reversed(each)]),
  );
}

describe('fingerprint', () => {
  test('does not depend on the order of fields', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(fingerprint('a', reversed(value))).toBe(fingerprint('a', value));
      }),
    );
  });

  test('is the same only for the same JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (left, right) => {
        const same = JSON.stringify(sorted(left)) === JSON.stringify(sorted(right));
        expect(fingerprint('a', left) === fingerprint('a', right)).toBe(same);
      }),
    );
  });

  test('depends on the action and on the order of lists; no data is null', () => {
    expect(fingerprint('a', 1)).not.toBe(fingerprint('b', 1));
    expect(fingerprint('a', [1, 2])).not.toBe(fingerprint('a', [2, 1]));
    expect(fingerprint('a', undefined)).toBe(fingerprint('a', null));
    expect(fingerprint('a', JSON.parse('{"__proto__":1}'))).not.toBe(fingerprint('a', {}));
  });
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, each]): [string, unknown] => [key, sorted(each)]);
  return Object.fromEntries(entries.sort(([left], [right]) => (left < right ? -1 : 1)));
}
