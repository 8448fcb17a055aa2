import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { Refusal } from '../../../src/core/errors.js';
import { parseWithSources } from '../../../src/core/json-source.js';

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

/** What is read of a text that is taken. */
function read(json: string): Exclude<ReturnType<typeof parseWithSources>, Refusal> {
  const found = parseWithSources(json, 'data');
  if (found instanceof Refusal) throw new Error(found.message);
  return found;
}

/** The value of a text; 'refused' where it is no JSON. */
function valueOf(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
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
          const found = parseWithSources(json, 'data');
          const value = valueOf(json);
          if (found instanceof Refusal) {
            expect([found.code, value]).toEqual(['invalid_json', 'refused']);
            return;
          }
          expect(found.value).toEqual(value);
          const items: unknown[] = Array.isArray(value) ? value : [value];
          if (!Array.isArray(value) && (typeof value !== 'object' || value === null))
            return expect(found.sources).toEqual([]);
          expect(found.sources).toHaveLength(items.length);
          for (const [index, item] of items.entries()) {
            const hasData =
              typeof item === 'object' &&
              item !== null &&
              !Array.isArray(item) &&
              Object.hasOwn(item, 'data');
            const source = found.sources[index];
            expect(source === undefined).toBe(!hasData);
            if (source !== undefined) expect(JSON.parse(source)).toEqual((item as { data: unknown }).data);
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
        expect(read(`${gap}[${json.length === 0 ? gap : ''}${json.join(',')}]${gap}`).sources).toEqual(
          expected,
        );
        for (const [index, one] of json.entries()) {
          expect(read(one).sources).toEqual([expected[index]]);
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
    expect(read(json).sources).toEqual(sources);
  });

  test('long texts are read in one pass', () => {
    const wide = `[${'[{"a":1}],'.repeat(200_000)}1]`;
    expect(read(`{"data":${wide},"x":${wide}}`).sources).toEqual([wide]);
    const escapes = `"${'\\\\'.repeat(1_000_000)}\\""`;
    expect(read(`[{"data":${escapes}}]`).sources).toEqual([escapes]);
    const quotes = `"${'\\"'.repeat(1_000_000)}"`;
    expect(read(`[{"x":${quotes},"data":${quotes}}]`).sources).toEqual([quotes]);
  });

  test('text that is nested deeper than 100 levels is refused', () => {
    const nested = '['.repeat(99) + ']'.repeat(99);
    expect(read(`{"data":${nested}}`).sources).toEqual([nested]);
    expect(parseWithSources(`{"data":[${nested}]}`, 'data')).toMatchObject({ code: 'invalid_json' });
  });
});
