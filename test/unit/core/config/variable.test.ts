import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import {
  choice,
  flag,
  integer,
  list,
  path,
  seconds,
  showValue,
  text,
} from '../../../../src/core/config/variable.js';
import { isRoomName } from '../../../../src/core/event.js';

const naming = { env: 'X', doc: '' };

describe('integer', () => {
  const variable = integer({ ...naming, unit: 'ms', min: -5000, max: 70_000, default: 1 });

  test('takes every whole number in range, and gives it back as text', () => {
    fc.assert(
      fc.property(fc.integer({ min: -5000, max: 70_000 }), (value) => {
        const parsed = variable.parse(String(value));
        expect(variable.check(parsed)).toBe(true);
        expect(showValue(variable, parsed)).toBe(String(value));
      }),
    );
  });

  test('refuses every whole number out of range', () => {
    const outside = fc.oneof(
      fc.integer({ max: -5001 }),
      fc.integer({ min: 70_001 }),
      fc.bigInt({ min: 2n ** 53n }),
    );
    fc.assert(
      fc.property(outside, (value) => {
        expect(variable.check(variable.parse(String(value)))).toBe(false);
      }),
    );
  });

  test('refuses all text that is no whole number', () => {
    const nearNumbers = fc.string({
      unit: fc.constantFrom(...'0 1 9 + - . e E x X _ , n N a I'.split(' '), ' '),
    });
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), nearNumbers, fc.double().map(String)), (value) => {
        fc.pre(!/^[+-]?[0-9]+$/.test(value));
        expect(variable.check(variable.parse(value))).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });

  test('refuses JSON that is no whole number', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        fc.pre(!Number.isInteger(value));
        expect(variable.check(value)).toBe(false);
      }),
    );
  });

  test('says its range and unit', () => {
    expect(variable.accepts).toBe('a whole number from -5000 to 70000 (ms)');
  });
});

describe('seconds', () => {
  const variable = seconds({ ...naming, min: 0.1, max: 300, default: 10 });

  test.each([
    ['0.1', true],
    ['300', true],
    ['2.25', true],
    ['0.09', false],
    ['300.01', false],
    ['.5', false],
    ['5.', false],
    ['1e2', false],
    ['5s', false],
    ['Infinity', false],
  ])('%s: %s', (value, isGood) => {
    expect(variable.check(variable.parse(value))).toBe(isGood);
  });

  test('refuses NaN', () => {
    expect(variable.check(Number.NaN)).toBe(false);
  });
});

describe('flag', () => {
  const variable = flag({ ...naming, default: undefined, defaultText: 'depends' });

  test('takes eight words in any case', () => {
    for (const word of ['true', '1', 'yes', 'on', 'TRUE', 'Yes', 'ON']) {
      expect(variable.parse(word)).toBe(true);
    }
    for (const word of ['false', '0', 'no', 'off', 'FALSE', 'No', 'OFF']) {
      expect(variable.parse(word)).toBe(false);
    }
  });

  test.each(['2', 'y', 'enabled', 'truee', '00'])('refuses %s', (value) => {
    expect(variable.check(variable.parse(value))).toBe(false);
  });
});

describe('choice', () => {
  const variable = choice({ ...naming, options: ['split', 'reject', 'Other'], default: 'split' });

  test('takes its words in any case, and says them', () => {
    expect(['SPLIT', 'Reject', 'other'].map((word) => variable.parse(word))).toEqual([
      'split',
      'reject',
      'Other',
    ]);
    expect(variable.accepts).toBe('split, reject or Other');
  });

  test.each(['spli', 'split,reject', 'toString'])('refuses %s', (value) => {
    expect(variable.check(variable.parse(value))).toBe(false);
  });
});

describe('list', () => {
  const variable = list({ ...naming, accepts: 'rooms', default: ['a'], minItems: 1, check: isRoomName });

  test('trims items, and leaves out empty and repeated ones', () => {
    expect(variable.parse(' a , b,,a, ')).toEqual(['a', 'b']);
  });

  test('reads back any list of good items', () => {
    const rooms = fc.uniqueArray(fc.stringMatching(/^[A-Za-z0-9_.:-]{1,128}$/), { minLength: 1 });
    fc.assert(
      fc.property(rooms, (items) => {
        const parsed = variable.parse(items.join(' ,\t'));
        expect(parsed).toEqual(items);
        expect(variable.check(parsed)).toBe(true);
      }),
    );
  });

  test.each([[[]], [['a', 'b c']], [['']], ['a'], [null]])('refuses %j', (value) => {
    expect(variable.check(value)).toBe(false);
  });
});

describe('text and path', () => {
  test('text asks its check, and masks when shown', () => {
    const options = { accepts: 'x', default: undefined, check: (value: string) => value.startsWith('x') };
    const variable = text({ ...naming, ...options, mask: () => 'hidden' });
    expect([variable.check('x1'), variable.check('y'), variable.check(1)]).toEqual([true, false, false]);
    expect(showValue(variable, 'x1')).toBe('hidden');
    expect(showValue(variable, undefined)).toBe('');
  });

  test('a path is any text a file system takes', () => {
    const variable = path({ ...naming, default: undefined, defaultText: 'none' });
    expect([variable.isPath, variable.check('a b/ü.json'), variable.check('a\0b')]).toEqual([
      true,
      true,
      false,
    ]);
  });
});
