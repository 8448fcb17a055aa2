import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { OriginPolicy } from '../../../../src/profiles/http/origin-policy.js';

const request = (origin: string | undefined, host = 'gateway.example:5002'): IncomingMessage =>
  ({ headers: { host, ...(origin === undefined ? {} : { origin }) } }) as IncomingMessage;

describe('OriginPolicy', () => {
  const policy = new OriginPolicy(['https://app.example']);

  test('lets programs in, listed pages, and the pages it serves itself', () => {
    expect(policy.allows(request(undefined))).toBe(true);
    expect(policy.allows(request('https://app.example'))).toBe(true);
    expect(policy.allows(request('http://gateway.example:5002'))).toBe(true);
    // Behind a proxy that ends TLS the page's scheme is another than the one that arrives here.
    expect(policy.allows(request('https://gateway.example:5002'))).toBe(true);
  });

  test.each([
    'http://app.example',
    'https://app.example:8443',
    'https://APP.example',
    'https://app.example.evil.example',
    'https://evil.example/https://app.example',
    'http://gateway.example',
    'http://gateway.example:5003',
    'null',
    '',
    'gateway.example:5002',
    '*',
  ])('keeps the page of %j out', (origin) => {
    expect(policy.allows(request(origin))).toBe(false);
  });

  test.each([
    ['a program', undefined, undefined, false],
    ['a link of this site', undefined, 'same-origin', true],
    ['an address that was typed', undefined, 'none', true],
    ['one of another port', undefined, 'same-site', false],
    ['one of another site', undefined, 'cross-site', false],
    ['a page of this gateway', 'http://gateway.example:5002', 'same-origin', true],
    ['a page that is listed', 'https://app.example', 'cross-site', true],
    ['a page that is not', 'https://evil.example', 'cross-site', false],
  ])('cookies: of %s', (_name, origin, site, takes) => {
    const { headers } = request(origin);
    const asked = { headers: { ...headers, 'sec-fetch-site': site } } as unknown as IncomingMessage;
    expect(policy.takesCookieOf(asked)).toBe(takes);
    // What * lets in has none.
    expect(new OriginPolicy(['*']).takesCookieOf(request('https://app.example'))).toBe(false);
  });

  test('lists what it lists, and everything with *', () => {
    expect(policy.isListed('https://app.example')).toBe(true);
    expect(policy.isListed('http://gateway.example:5002')).toBe(false);
    const open = new OriginPolicy(['*']);
    expect([open.isListed('https://any.example'), open.allows(request('null'))]).toEqual([true, true]);
    // Cookies are sent by pages only that somebody has named.
    expect([open.isNamed('https://any.example'), open.isNamed('*')]).toEqual([false, false]);
    expect(policy.isNamed('https://app.example')).toBe(true);
  });
});
