import { describe, expect, test } from '@jest/globals';
import { hostName, isAbsolute, leadsTo } from '../../../../src/profiles/http/authority.js';

test.each([
  ['localhost', 'localhost'],
  ['LocalHost:5002', 'localhost'],
  ['gateway.example.', 'gateway.example'],
  ['gateway.example.:', 'gateway.example'],
  ['10.0.0.1:80', '10.0.0.1'],
  ['[::1]', '::1'],
  ['[2001:DB8::1]:443', '2001:db8::1'],
  ['a_b', 'a_b'],
  ['', undefined],
  [':80', undefined],
  ['a:b', undefined],
  ['a:80:80', undefined],
  ['[::1', undefined],
  ['[::1].evil', undefined],
  ['::1', undefined],
  ['user@host', undefined],
  ['host/path', undefined],
  ['host\\path', undefined],
  ['host?query', undefined],
  ['a, b', undefined],
  ['a b', undefined],
])('the host of %j is %j', (host, name) => {
  expect(hostName(host)).toBe(name);
});

describe('a URL leads to the host and port of a Host header', () => {
  test.each([
    ['http://a.example', 'a.example', true],
    ['http://a.example', 'a.example:80', true],
    ['http://a.example:80', 'a.example', true],
    ['HTTPS://A.example.:443/x?y#z', 'a.EXAMPLE', true],
    ['https://a.example?', 'a.example:443', true],
    ['http://[::1]:5002/', '[::1]:5002', true],
    ['http://a.example:05002', 'a.example:5002', true],
    ['http://a.example', 'a.example:443', false],
    ['https://a.example', 'a.example:80', false],
    ['http://a.example', 'b.example', false],
    ['http://a.example', undefined, false],
    ['http://a.example@b.example', 'a.example', false],
    ['http://', '', false],
    ['file://', '', false],
    ['null', '', false],
    ['null', undefined, false],
    ['ftp://a.example', 'a.example', false],
    ['//a.example', 'a.example', false],
    ['/http://a.example', 'a.example', false],
  ])('%s, %j: %s', (url, host, leads) => {
    expect(leadsTo(url, host)).toBe(leads);
    expect(isAbsolute(url)).toBe(/^https?:/i.test(url));
  });
});
