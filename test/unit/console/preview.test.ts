import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { preview } from '../../../src/console/preview.js';

describe('preview', () => {
  it.each([
    [null, 'null'],
    [undefined, 'undefined'],
    [1.5, '1.5'],
    [true, 'true'],
    ['a "b"\n', '"a \\"b\\"\\n"'],
    [[1, [], {}], '[1, [], {}]'],
    [{ a: 1, b: { c: ['x'] } }, '{a: 1, b: {c: ["x"]}}'],
  ])('writes %j on one line', (value, text) => {
    expect(preview(value)).toBe(text);
  });

  it('says when there is more', () => {
    expect(preview('x'.repeat(1000), 10)).toBe('"xxxxxxxxx…');
    expect(preview([1, 2, 3, 4, 5, 6, 7, 8, 9], 10)).toBe('[1, 2, 3, …');
    expect(preview({ ['n'.repeat(50)]: 1 }, 10)).toBe('{nnnnnnnnn…');
  });

  it('is never longer than it may be', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 1, max: 40 }), (value, maxChars) => {
        expect(preview(value, maxChars).length).toBeLessThanOrEqual(maxChars + 1);
      }),
    );
  });

  it('does not read on once it is full', () => {
    let reads = 0;
    const items = new Proxy(
      Array.from({ length: 100_000 }, () => 'item'),
      {
        get: (target, name, receiver): unknown => {
          reads += 1;
          return Reflect.get(target, name, receiver);
        },
      },
    );
    preview(items, 100);
    expect(reads).toBeLessThan(200);
  });
});
