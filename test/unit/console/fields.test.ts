import { describe, expect, it } from '@jest/globals';
import { Fields } from '../../../src/console/fields.js';

describe('Fields', () => {
  const fields = new Fields({
    name: 'x',
    empty: '',
    count: 3,
    none: Number.NaN,
    yes: true,
    loads: [1, '2', null, 3],
    rooms: ['a', 1, 'b'],
    inner: { name: 'y' },
  });

  it('gives each field as what it is', () => {
    expect(fields.text('name')).toBe('x');
    expect(fields.number('count')).toBe(3);
    expect(fields.flag('yes')).toBe(true);
    expect(fields.numbers('loads')).toEqual([1, 3]);
    expect(fields.texts('rooms')).toEqual(['a', 'b']);
    expect(fields.fields('inner').text('name')).toBe('y');
    expect(fields.value('inner')).toEqual({ name: 'y' });
  });

  it('gives nothing for what is missing, empty or of another type', () => {
    for (const name of ['missing', 'empty', 'count', 'inner']) expect(fields.text(name)).toBeUndefined();
    for (const name of ['missing', 'none', 'name']) expect(fields.number(name)).toBeUndefined();
    for (const name of ['missing', 'count']) expect(fields.flag(name)).toBeUndefined();
    expect(fields.numbers('name')).toEqual([]);
    expect(fields.texts('inner')).toEqual([]);
    expect(fields.fields('rooms').entries()).toEqual([]);
  });

  it.each([undefined, null, 'text', 7, [1, 2]])('has no fields in %p', (value) => {
    expect(new Fields(value).entries()).toEqual([]);
    expect(new Fields(value).value('length')).toBeUndefined();
  });

  it('does not take what every object inherits for a field', () => {
    expect(fields.value('toString')).toBeUndefined();
    expect(fields.value('constructor')).toBeUndefined();
    expect(new Fields(JSON.parse('{"__proto__": {"a": 1}}')).value('a')).toBeUndefined();
  });
});
