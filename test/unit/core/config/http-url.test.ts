import { expect, test } from '@jest/globals';
import { isHttpUrl, maskUrl } from '../../../../src/core/config/http-url.js';

test.each(['http://collector:4318', 'https://user:pass@collector/v1/traces?token=x'])('%s is one', (text) => {
  expect(isHttpUrl(text)).toBe(true);
});

test.each(['', 'collector:4318', '//collector', 'ftp://collector', 'grpc://collector'])(
  '%j is none',
  (text) => {
    expect(isHttpUrl(text)).toBe(false);
  },
);

test('what may be a secret in it is masked', () => {
  expect(maskUrl('http://collector:4318')).toBe('http://collector:4318');
  expect(maskUrl('https://collector/v1?token=secret')).toBe('https://collector/v1?***');
  for (const text of ['https://secret:secret@c/', 'https://secret@c/', 'https://c/?a=secret', 'secret'])
    expect(maskUrl(text)).not.toContain('secret');
});
