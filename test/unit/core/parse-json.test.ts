import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { Refusal } from '../../../src/core/errors.js';
import { isDeeperThan, MAX_JSON_DEPTH, parseJson } from '../../../src/core/parse-json.js';

/** Any text that has to do with JSON: whole values, and pieces of them in any order. */
const soup = fc
  .array(
    fc.oneof(
      fc.constantFrom('[', ']', '{', '}', '"', '\\', ',', ':', ' ', '[[[', ']]]', '"\\"[', '"[\\\\"', '1'),
      fc.constantFrom(`"${'x'.repeat(40)}`, `"${'\\'.repeat(41)}"`, `${'\\'.repeat(40)}"`, '\\u005b'),
      fc.json(),
      fc.string({ unit: 'binary' }),
    ),
    { maxLength: 20 },
  )
  .map((parts) => parts.join(''));

/** The most brackets open at a time, found one character after the other. */
function naiveDepth(text: string): number {
  let [deepest, open, isInString] = [0, 0, false];
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (isInString && character === '\\') at += 1;
    else if (character === '"') isInString = !isInString;
    else if (isInString) continue;
    else if ('[{'.includes(character)) open += 1;
    else if (']}'.includes(character)) open = Math.max(0, open - 1);
    deepest = Math.max(deepest, open);
  }
  return deepest;
}

function depthOf(value: unknown): number {
  return typeof value === 'object' && value !== null
    ? 1 + Math.max(0, ...Object.values(value).map(depthOf))
    : 0;
}

function nested(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth);
}

describe('isDeeperThan', () => {
  test('is what looking at each character finds, of any text', () => {
    fc.assert(
      fc.property(soup, fc.nat({ max: 8 }), (text, depth) => {
        expect(isDeeperThan(text, depth)).toBe(naiveDepth(text) > depth);
      }),
      { numRuns: 3000 },
    );
  });

  test('is the depth of the value, for JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), fc.nat({ max: 8 }), (value, depth) => {
        expect(isDeeperThan(JSON.stringify(value), depth)).toBe(depthOf(value) > depth);
      }),
    );
  });

  test.each([
    ['a string without an end', `"${'['.repeat(2_000_000)}`, false],
    ['a string that ends with a backslash', `"${'\\'.repeat(2_000_001)}`, false],
    ['many strings without an end', '"\\"'.repeat(700_000), false],
    ['brackets that close nothing', ']'.repeat(2_000_000), false],
    ['brackets that close nothing, and then open', `${']'.repeat(1000)}${'['.repeat(101)}`, true],
    ['brackets beside each other', '[],'.repeat(700_000), false],
    ['brackets that are never closed', '['.repeat(2_000_000), true],
    ['nothing', '', false],
  ])('takes %s', (_what, text, expected) => {
    expect(isDeeperThan(text, 100)).toBe(expected);
  });
});

describe('parseJson', () => {
  test('is the value that JSON.parse finds, or a refusal where that throws', () => {
    fc.assert(
      fc.property(fc.oneof(soup, fc.json()), (text) => {
        let expected: unknown;
        try {
          expected = { value: JSON.parse(text) };
        } catch {
          expected = expect.objectContaining({ code: 'invalid_json' });
        }
        expect(parseJson(text)).toEqual(expected);
      }),
    );
  });

  test('refuses what is nested deeper than the limit, whatever stands in strings', () => {
    expect(MAX_JSON_DEPTH).toBe(100);
    expect(parseJson(nested(100))).not.toBeInstanceOf(Refusal);
    expect(parseJson(`["${nested(1000)}"]`)).not.toBeInstanceOf(Refusal);
    expect(parseJson(nested(101))).toEqual(
      new Refusal('invalid_json', 'JSON may be nested at most 100 levels deep'),
    );
    expect(parseJson(nested(6), 5)).toBeInstanceOf(Refusal);
  });
});
