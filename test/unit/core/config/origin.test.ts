import { expect, test } from '@jest/globals';
import { isOrigin } from '../../../../src/core/config/origin.js';

test.each([
  '*',
  'https://app.example',
  'http://localhost:3000',
  'http://[::1]:8080',
  'capacitor://localhost',
  'chrome-extension://abcdef',
])('takes %s', (origin) => {
  expect(isOrigin(origin)).toBe(true);
});

test.each([
  'app.example',
  'https://app.example/',
  'https://app.example/path',
  'https://app.example:443',
  'https://App.example',
  'https://user@app.example',
  'https://*.example',
  'https://',
  'https://a b',
  'null',
  '**',
])('refuses %s', (origin) => {
  expect(isOrigin(origin)).toBe(false);
});
