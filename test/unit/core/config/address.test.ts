import { describe, expect, test } from '@jest/globals';
import { isListenAddress, isLoopback } from '../../../../src/core/config/address.js';

describe('isListenAddress', () => {
  test.each([
    '127.0.0.1',
    '0.0.0.0',
    '::',
    '::1',
    'fe80::1%eth0',
    'localhost',
    'gateway-1.example',
    'my_host',
  ])('takes %s', (host) => {
    expect(isListenAddress(host)).toBe(true);
  });

  test.each([
    '',
    '[::1]',
    'a b',
    'localhost:80',
    'http://a',
    '127.1',
    '256.1.1.1',
    '1',
    '0x7f.1',
    'a..b',
    '-a',
    'a/b',
    'é',
  ])('refuses %j', (host) => {
    expect(isListenAddress(host)).toBe(false);
  });

  test('refuses names longer than DNS has', () => {
    expect(isListenAddress('a'.repeat(63))).toBe(true);
    expect(isListenAddress('a'.repeat(64))).toBe(false);
    expect(isListenAddress(Array(64).fill('abc').join('.'))).toBe(false);
  });
});

describe('isLoopback', () => {
  test.each([
    '127.0.0.1',
    '127.255.255.254',
    '::1',
    '0:0:0:0:0:0:0:1',
    '::ffff:127.0.0.1',
    'localhost',
    'LocalHost',
  ])('is true for %s', (host) => {
    expect(isLoopback(host)).toBe(true);
  });

  test.each(['0.0.0.0', '::', '128.0.0.1', '::ffff:10.0.0.1', 'localhost.example', '127.0.0.1.example', 'x'])(
    'is false for %s',
    (host) => {
      expect(isLoopback(host)).toBe(false);
    },
  );
});
