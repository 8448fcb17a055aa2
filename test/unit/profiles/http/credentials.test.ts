import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { credentialsIn, credentialsOf, takeApiKey } from '../../../../src/profiles/http/credentials.js';

const request = (url: string, headers: IncomingHttpHeaders = {}): IncomingMessage =>
  ({ url, headers }) as IncomingMessage;

describe('credentialsOf', () => {
  test.each([
    ['nothing', '/', {}, undefined],
    ['a bearer', '/', { authorization: 'bearer  t ' }, 't'],
    ['another scheme', '/', { authorization: 'Basic dA==' }, undefined],
    [
      'the bearer before the query and the cookie',
      '/?access_token=q',
      { authorization: 'Bearer h', cookie: 'flipgate_token=c' },
      'h',
    ],
    ['the query before the cookie', '/?access_token=q', { cookie: 'flipgate_token=c' }, 'q'],
    ['the cookie', '/', { cookie: 'a=1; flipgate_token=c%2Bd' }, 'c+d'],
    ['an empty parameter is none', '/?access_token=', { cookie: 'flipgate_token=c' }, 'c'],
  ])('%s', (_name, url, headers, token) => {
    expect(credentialsOf(request(url, headers), true).token).toBe(token);
  });

  test('a cookie that does not count', () => {
    expect(credentialsOf(request('/', { cookie: 'flipgate_token=c' }), false).token).toBeUndefined();
  });

  test('an API key: the header before the query', () => {
    expect(credentialsOf(request('/?apiKey=q', { 'x-api-key': 'h' }), true).apiKey).toBe('h');
    expect(credentialsOf(request('/?apiKey=q'), true).apiKey).toBe('q');
  });
});

describe('credentialsIn', () => {
  test.each([
    [{ token: 't', apiKey: 'k' }, { token: 't' }],
    [{ token: 7, apiKey: 'k' }, { apiKey: 'k' }],
    [
      { token: '', apiKey: '' },
      { token: undefined, apiKey: 'q' },
    ],
    [null, { token: undefined, apiKey: 'q' }],
    ['token', { token: undefined, apiKey: 'q' }],
    [JSON.parse('{"__proto__": {"token": "t"}}'), { token: undefined, apiKey: 'q' }],
  ])('%j', (auth, expected) => {
    expect(credentialsIn(auth, { token: undefined, apiKey: 'q' })).toEqual(expected);
  });
});

describe('takeApiKey', () => {
  test.each([
    [
      { a: 1, apiKey: 'k' },
      { apiKey: 'k', rest: { a: 1 } },
    ],
    [{ a: 1 }, { apiKey: undefined, rest: { a: 1 } }],
    [['apiKey'], { apiKey: undefined, rest: ['apiKey'] }],
    [null, { apiKey: undefined, rest: null }],
    ['x', { apiKey: undefined, rest: 'x' }],
  ])('%j', (data, expected) => {
    expect(takeApiKey(data)).toEqual(expected);
  });
});
