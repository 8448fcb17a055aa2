import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { isRedisUrl, maskRedisUrl } from '../../../../src/core/config/redis-url.js';

describe('isRedisUrl', () => {
  test.each([
    'redis://localhost',
    'redis://localhost:6379/2',
    'rediss://user:p%40ss@redis.example:6380',
    'redis://:p@[::1]:6379/',
    'REDIS://h',
  ])('takes %s', (url) => {
    expect(isRedisUrl(url)).toBe(true);
  });

  test.each([
    'localhost:6379',
    'http://localhost',
    'redis:localhost',
    'redis://',
    'redis://h/db',
    'redis://h:99999',
    'redis://u:12/34@h',
    'redis://u:12?34@h',
    'unix:///tmp/redis.sock',
  ])('refuses %s', (url) => {
    expect(isRedisUrl(url)).toBe(false);
  });
});

describe('maskRedisUrl', () => {
  test('masks the password and nothing else', () => {
    expect(maskRedisUrl('rediss://user:p%40ss@h:1/2')).toBe('rediss://user:***@h:1/2');
    expect(maskRedisUrl('redis://:p@h')).toBe('redis://:***@h');
    expect(maskRedisUrl('redis://h:6379/0')).toBe('redis://h:6379/0');
    expect(maskRedisUrl('redis://h/0?password=p&family=6')).toBe('redis://h/0?password=***&family=6');
  });

  test.each([
    'u:p@h',
    'redis:u:p@h',
    'http://u:p@h',
    'u://p@h',
    'redis://u:p:q@h:x',
    'redis://u:1/p@h',
    '/p@h',
    '',
  ])('masks all of %j', (url) => {
    expect(maskRedisUrl(url)).toBe('***');
  });

  test('never shows a password, however it is written', () => {
    const wrap = fc.string({
      unit: fc.constantFrom('/', '?', '#', '@', ':', '%', '[', ']', '&', ' ', '1', 'a'),
    });
    fc.assert(
      fc.property(
        wrap,
        wrap,
        fc.constantFrom('redis://', 'http://', 'redis:', ''),
        (before, after, scheme) => {
          expect(maskRedisUrl(`${scheme}user:${before}hunter2${after}@h`)).not.toContain('hunter2');
        },
      ),
      { numRuns: 2000 },
    );
  });
});
