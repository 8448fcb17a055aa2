import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { fits, isPattern } from '../../../../src/core/auth/pattern.js';
import { parseRights, Rights } from '../../../../src/core/auth/rights.js';

function text(characters: string, maxLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom(...characters.split('')), maxLength });
}

describe('patterns', () => {
  test('fit what a regular expression would match, in which * stands for any run', () => {
    fc.assert(
      fc.property(text('ab.*', 10), text('ab.', 10), (pattern, name) => {
        const model = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
        return fits(pattern, name) === model.test(name);
      }),
      { numRuns: 3000 },
    );
  });

  test('a name with parts of it put in the place of stars always fits', () => {
    const part = text('aB0_.:-', 5);
    fc.assert(
      fc.property(fc.array(fc.tuple(part, part)), (parts) => {
        const pattern = parts.map(([fixed]) => `${fixed}*`).join('');
        const name = parts.map(([fixed, free]) => fixed + free).join('');
        return fits(pattern, name);
      }),
    );
  });

  test('one that would have a regular expression try for years is soon through', () => {
    expect(fits(`${'*a'.repeat(60)}*b`, 'a'.repeat(128))).toBe(false);
  });

  test.each(['*', 'monitor', 'monitor.*', 'a:b-c_d', '*x*', 'x'.repeat(128)])('%s is one', (pattern) => {
    expect(isPattern(pattern)).toBe(true);
  });

  test.each(['', 'a b', 'a?', 'ä', 'x\n', 'x'.repeat(129), 7, null, ['*']])('%j is none', (pattern) => {
    expect(isPattern(pattern)).toBe(false);
  });
});

function parsed(json: unknown): Rights {
  const rights = parseRights(json);
  if (Array.isArray(rights)) throw new Error(rights.join('; '));
  return rights;
}

/** Whether there is anything at all that these allow, of names a test would use. */
function allowsAnything(rights: Rights): boolean {
  const names = ['a', 'default', 'status', 'admin', '*'];
  return (
    names.some((name) => rights.maySubscribe(name) || rights.mayPublish(name) || rights.mayCommand(name)) ||
    (['status', 'metrics', 'flip'] as const).some((right) => rights.mayAdminister(right))
  );
}

describe('rights', () => {
  test('each list allows what it is for, and nothing else', () => {
    const rights = parsed({ subscribe: ['s*'], publish: ['p'], command: ['c.*', 'd'], admin: ['status'] });
    expect([rights.maySubscribe('s1'), rights.mayPublish('s1'), rights.mayCommand('s1')]).toEqual([
      true,
      false,
      false,
    ]);
    expect([rights.maySubscribe('p'), rights.mayPublish('p'), rights.mayCommand('p')]).toEqual([
      false,
      true,
      false,
    ]);
    expect([rights.mayCommand('c.x'), rights.mayCommand('d'), rights.mayCommand('c')]).toEqual([
      true,
      true,
      false,
    ]);
    expect([
      rights.mayAdminister('status'),
      rights.mayAdminister('flip'),
      rights.mayAdminister('metrics'),
    ]).toEqual([true, false, false]);
  });

  test('a star among the admin rights is all of them', () => {
    const rights = parsed({ admin: ['*'] });
    expect((['status', 'metrics', 'flip'] as const).every((right) => rights.mayAdminister(right))).toBe(true);
    expect(rights.mayCommand('x')).toBe(false);
  });

  test('types of events to publish: all without a list, none with an empty one', () => {
    expect(parsed({ publish: ['*'] }).mayPublishType('x')).toBe(true);
    const some = parsed({ publish: ['*'], publishTypes: ['kb_*'] });
    expect([some.mayPublishType('kb_x'), some.mayPublishType('x')]).toEqual([true, false]);
    expect([parsed({ publish: ['*'] }).mayPublishAnywhere, some.mayPublishAnywhere]).toEqual([true, false]);
    expect(parsed({ publishTypes: [] }).mayPublishType('x')).toBe(false);
    expect(some.toJSON().publishTypes).toEqual(['kb_*']);
    expect(parsed({}).toJSON()).not.toHaveProperty('publishTypes');
  });

  test('what is not listed is not allowed', () => {
    expect(allowsAnything(parsed({}))).toBe(false);
    expect(allowsAnything(parsed({ subscribe: [], admin: [] }))).toBe(false);
    expect(allowsAnything(Rights.NONE)).toBe(false);
    expect(allowsAnything(Rights.ALL)).toBe(true);
  });

  test.each<[string, unknown]>([
    ['null', null],
    ['a list', [['*']]],
    ['text', '*'],
    ['a list that is text', { subscribe: '*' }],
    ['a list that is null', { publish: null }],
    ['a pattern that is none', { command: ['a b'] }],
    ['a right there is not', { read: ['*'] }],
    ['an admin right there is not', { admin: ['reboot'] }],
    ['lists by prototype', JSON.parse('{"__proto__":{"subscribe":["*"]}}')],
    ['a constructor', JSON.parse('{"constructor":{"prototype":{"admin":["*"]}}}')],
  ])('%s is refused', (_, json) => {
    expect(parseRights(json)).toEqual([expect.any(String)]);
  });

  test('inherited lists allow nothing', () => {
    expect(allowsAnything(parsed(Object.create({ subscribe: ['*'], admin: ['*'] })))).toBe(false);
  });

  test('whatever the JSON, it never throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.jsonValue(),
          fc.dictionary(fc.constantFrom('subscribe', 'admin', '__proto__'), fc.jsonValue()),
        ),
        (json) => {
          const rights = parseRights(JSON.parse(JSON.stringify(json)));
          return rights instanceof Rights || rights.length > 0;
        },
      ),
      { numRuns: 1000 },
    );
  });
});
