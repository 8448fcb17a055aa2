import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { isDeeperThan, parseWithSources } from '../../../src/core/json-source.js';

/** Tokens of JSON, whole and in pieces, in any order: seldom JSON, and then unusual. */
const soup = fc.array(
  fc.oneof(
    fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      ' ',
      '\n',
      '\r',
      '\t',
      '-',
      '"data"',
      '"data":',
      '1',
    ),
    fc.constantFrom(
      '"da\\u0074a"',
      '"a"',
      '"\\""',
      '"\\\\"',
      '"\\ud800"',
      '\u2028',
      '\0',
      '1e400',
      '-0',
      'null',
    ),
    fc.json(),
  ),
  { maxLength: 12 },
);
const space = fc.string({ unit: fc.constantFrom(' ', '\t', '\n', '\r'), maxLength: 3 });
const text = fc.oneof(
  fc.string({ unit: 'binary' }).map((value) => JSON.stringify(value)),
  fc
    .string({
      unit: fc.constantFrom('\\', '"', '{', '[', ']', '}', ' ', ',', 'é', '\u2028', 'x'),
      maxLength: 80,
    })
    .map((value) => JSON.stringify(value)),
  fc.constantFrom(
    '"\\ud800"',
    '"\\u0000"',
    '"\\/"',
    '"\u2028"',
    '"\\\\\\""',
    `"${'\\\\'.repeat(40)}"`,
    `"${'x'.repeat(31)}\\""`,
    `"${'x'.repeat(50)}\\\\"`,
  ),
);
const word = fc.constantFrom('1234567890123456789', '1e400', '-0', '1.0', '1E+2', 'true', 'false', 'null');

/** Source text of a value, and the same with whitespace between its tokens. */
interface Source {
  readonly tight: string;
  readonly spaced: string;
}
const { value: source } = fc.letrec<{ value: Source; array: Source; object: Source }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(text, word).map((token) => ({ tight: token, spaced: token })),
    tie('array'),
    tie('object'),
  ),
  array: fc.tuple(fc.array(tie('value'), { maxLength: 3 }), space).map(([items, gap]) => ({
    tight: `[${items.map(({ tight }) => tight).join(',')}]`,
    spaced: `[${gap}${items.map(({ spaced }) => spaced).join(`,${gap}`)}${gap}]`,
  })),
  object: fc.tuple(fc.array(fc.tuple(text, tie('value')), { maxLength: 3 }), space).map(([members, gap]) => ({
    tight: `{${members.map(([name, { tight }]) => `${name}:${tight}`).join(',')}}`,
    spaced: `{${gap}${members.map(([name, { spaced }]) => `${name}${gap}:${gap}${spaced}`).join(`${gap},`)}}`,
  })),
}));
const name = fc.constantFrom(
  '"data"',
  '"da\\u0074a"',
  '"\\u0064ata"',
  '"type"',
  '"Data"',
  '"data "',
  '""',
  '"\\"data\\""',
  '"datA"',
  '"\\\\data"',
);

function attempt<T>(run: () => T): T | 'refused' {
  try {
    return run();
  } catch (error) {
    expect(error).toBeInstanceOf(SyntaxError);
    return 'refused';
  }
}

describe('parseWithSources', () => {
  test('takes and refuses what JSON.parse does; sources have the value that JSON.parse finds', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          soup.map((parts) => parts.join('')),
          fc.json(),
          source.map(({ spaced }) => spaced),
        ),
        (json) => {
          const read = attempt(() => parseWithSources(json, 'data'));
          const value = attempt((): unknown => JSON.parse(json));
          if (read === 'refused') return expect(value).toBe('refused');
          expect(read.value).toEqual(value);
          const items: unknown[] = Array.isArray(value) ? value : [value];
          if (!Array.isArray(value) && (typeof value !== 'object' || value === null))
            return expect(read.sources).toEqual([]);
          expect(read.sources).toHaveLength(items.length);
          for (const [index, item] of items.entries()) {
            const hasData =
              typeof item === 'object' &&
              item !== null &&
              !Array.isArray(item) &&
              Object.hasOwn(item, 'data');
            const found = read.sources[index];
            expect(found === undefined).toBe(!hasData);
            if (found !== undefined) expect(JSON.parse(found)).toEqual((item as { data: unknown }).data);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('the source is the text that was sent, without the whitespace between its tokens', () => {
    const members = fc.array(fc.tuple(name, source), { maxLength: 5 });
    fc.assert(
      fc.property(fc.array(members, { maxLength: 4 }), space, fc.boolean(), (objects, gap, isTight) => {
        const json = objects.map((object) => {
          const texts = object.map(
            ([key, { tight, spaced }]) => `${gap}${key}${gap}:${gap}${isTight ? tight : spaced}${gap}`,
          );
          return `${gap}{${texts.join(',')}${texts.length === 0 ? gap : ''}}${gap}`;
        });
        const expected = objects.map(
          (object) => object.findLast(([key]) => JSON.parse(key) === 'data')?.[1].tight,
        );
        expect(
          parseWithSources(`${gap}[${json.length === 0 ? gap : ''}${json.join(',')}]${gap}`, 'data').sources,
        ).toEqual(expected);
        for (const [index, one] of json.entries()) {
          expect(parseWithSources(one, 'data').sources).toEqual([expected[index]]);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    ['the last of several', '{"data":1,"data":2}', ['2']],
    ['by an escaped name', '{"da\\u0074a":1.0}', ['1.0']],
    ['one that an inner object has, not', '{"a":{"data":1},"b":[{"data":2}]}', [undefined]],
    [
      'one of an array in the array, not',
      '[[{"data":1}],{"data":3},4,"data"]',
      [undefined, '3', undefined, undefined],
    ],
    ['null', '{"data":null}', ['null']],
    ['of nothing', '[]', []],
    ['of a text', '"data"', []],
    ['beside __proto__', '{"__proto__":{"data":1},"data":{"__proto__":1e999}}', ['{"__proto__":1e999}']],
    ['over lines', '{"data":[1,\r\n\t{"a b" : "c\\nd e"}\n]}', ['[1,{"a b":"c\\nd e"}]']],
    ['with U+2028, NUL and half a pair', '{"data":"\u2028\\u0000\\ud800"}', ['"\u2028\\u0000\\ud800"']],
  ])('finds %s', (_which, json, sources) => {
    expect(parseWithSources(json, 'data').sources).toEqual(sources);
  });

  test('deep and long texts are read in one pass, without recursion', () => {
    const deep = `${'[{"a":'.repeat(200_000)}1${'}]'.repeat(200_000)}`;
    expect(parseWithSources(`{"data":${deep},"x":${deep}}`, 'data').sources).toEqual([deep]);
    const escapes = `"${'\\\\'.repeat(1_000_000)}\\""`;
    expect(parseWithSources(`[{"data":${escapes}}]`, 'data').sources).toEqual([escapes]);
    const quotes = `"${'\\"'.repeat(1_000_000)}"`;
    expect(parseWithSources(`[{"x":${quotes},"data":${quotes}}]`, 'data').sources).toEqual([quotes]);
  });
});

describe('isDeeperThan', () => {
  const depthOf = (value: unknown): number =>
    typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;

  test('compares the depth of nesting', () => {
    fc.assert(
      fc.property(source, fc.nat({ max: 6 }), ({ spaced }, depth) => {
        // A member that a later one of its name replaces counts, too, so that the text may be deeper than its value.
        if (depthOf(JSON.parse(spaced)) > depth) expect(isDeeperThan(spaced, depth)).toBe(true);
        expect(isDeeperThan(JSON.stringify(JSON.parse(spaced)), depth)).toBe(
          depthOf(JSON.parse(spaced)) > depth,
        );
      }),
    );
  });
});
