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
    'redis+sentinel://10.0.0.1,10.0.0.2:26380/mymaster',
    'rediss+sentinel://user:p%40ss@a:1,[::1]:2/mymaster/3?sentinelPassword=x',
    'redis+cluster://10.0.0.1:7000,10.0.0.2:7001',
    'rediss+cluster://:p@h',
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
    'redis+sentinel://h:26379',
    'redis+sentinel://h/a b',
    'redis+sentinel://h/m/x',
    'redis+sentinel://h:99999/m',
    'redis+sentinel://,h/m',
    'redis+sentinel://u:%zz@h/m',
    'redis+cluster://h:1/2',
    'redis+cluster://',
    'redis+other://h',
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
    expect(maskRedisUrl('redis+cluster://user:p%40:s@h:1,i:2')).toBe('redis+cluster://user:***@h:1,i:2');
    expect(maskRedisUrl('redis+sentinel://:p@h/m?sentinelPassword=q')).toBe('redis+sentinel://:***@h/m?***');
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
        fc.constantFrom('redis://', 'redis+cluster://', 'rediss+sentinel://', 'http://', 'redis:', ''),
        (before, after, scheme) => {
          expect(maskRedisUrl(`${scheme}user:${before}hunter2${after}@h`)).not.toContain('hunter2');
        },
      ),
      { numRuns: 5000 },
    );
  });
});
