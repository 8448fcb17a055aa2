import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { SDK_NAME } from '../../../src/client/client-name.js';

test('the SDK names itself with the version of the package', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(SDK_NAME).toBe(`sdk/${version}`);
});
