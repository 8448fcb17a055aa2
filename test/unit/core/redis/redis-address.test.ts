import { expect, test } from '@jest/globals';
import { parseRedisUrl } from '../../../../src/core/redis/redis-address.js';

test('one server is left to the client to read', () => {
  expect(parseRedisUrl('rediss://u:p@h:1/2')).toEqual({ kind: 'server', url: 'rediss://u:p@h:1/2' });
});

test('Sentinels, with all there is to say', () => {
  const url =
    'rediss+sentinel://me:p%40%3As@10.0.0.1,[::1]:26380/my-master/3?sentinelUsername=s&sentinelPassword=q%26';
  expect(parseRedisUrl(url)).toEqual({
    kind: 'sentinel',
    tls: true,
    username: 'me',
    password: 'p@:s',
    sentinels: [
      { host: '10.0.0.1', port: 26379 },
      { host: '::1', port: 26380 },
    ],
    master: 'my-master',
    database: 3,
    sentinelUsername: 's',
    sentinelPassword: 'q&',
  });
});

test('a Cluster, with nothing but hosts', () => {
  expect(parseRedisUrl('redis+cluster://a,b:7001')).toEqual({
    kind: 'cluster',
    tls: false,
    username: undefined,
    password: undefined,
    nodes: [
      { host: 'a', port: 6379 },
      { host: 'b', port: 7001 },
    ],
  });
});
