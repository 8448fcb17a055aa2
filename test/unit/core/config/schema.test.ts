import { describe, expect, test } from '@jest/globals';
import { merge, VARIABLES, VARIABLES_BY_ENV } from '../../../../src/core/config/schema.js';
import { showValue } from '../../../../src/core/config/variable.js';

const variables = [...VARIABLES_BY_ENV.values()];

test('no two rows share a name', () => {
  expect(VARIABLES_BY_ENV.size).toBe(Object.keys(VARIABLES).length);
});

describe.each(variables.map((variable) => [variable.env, variable] as const))('%s', (env, variable) => {
  test('has a good default, which its text gives back', () => {
    expect(env).toMatch(/^[A-Z][A-Z0-9_]*$/);
    if (variable.default === undefined) return;
    expect(variable.check(variable.default)).toBe(true);
    expect(variable.parse(showValue(variable, variable.default))).toEqual(variable.default);
  });

  test('is documented on one line', () => {
    expect(variable.doc).toMatch(/^[^\n]+\.$/);
    expect(variable.accepts).toMatch(/^[^\n]+$/);
    expect(variable.defaultText).toMatch(/^[^\n]+$/);
  });
});

describe('merge', () => {
  const nothing = { configFile: {}, envFile: {}, environment: {} };

  test('reads text strictly and leaves what it cannot read', () => {
    const { values } = merge({ ...nothing, envFile: { PORT: ' 81 ', MAX_ROOM_SIZE: '12abc' } });
    expect(values).toMatchObject({ PORT: 81, MAX_ROOM_SIZE: '12abc' });
  });

  test('convict agrees with the checks', () => {
    expect(() => merge(nothing).validate()).not.toThrow();
    expect(() => merge({ ...nothing, environment: { PORT: '12abc' } }).validate()).toThrow('PORT');
    expect(() => merge({ ...nothing, configFile: { PROT: 1 } }).validate()).toThrow('PROT');
    expect(() => merge({ ...nothing, configFile: { PORT: null } }).validate()).toThrow('PORT');
  });
});
