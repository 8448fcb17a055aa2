import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { NAME_QUERY } from '../../../src/client/client-name.js';

test('the SDK names itself with the version of the package', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(NAME_QUERY).toBe(`?client=sdk/${version}`);
});
