import { describe, expect, test } from '@jest/globals';
import { whyNoAnswer } from '../../src/no-answer.js';

const AT = 'https://gateway:5443';

/** What fetch throws. */
function failed(code: string): Error {
  return new TypeError('fetch failed', { cause: Object.assign(new Error('why'), { code }) });
}

describe('why no answer came', () => {
  test.each([
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  ])('says how to trust a certificate (%s)', (code) => {
    const why = whyNoAnswer(AT, failed(code));
    expect(why).toContain(`${AT} can not be trusted`);
    expect(why).toContain(code);
    expect(why).toContain('NODE_EXTRA_CA_CERTS=/path/ca.pem');
    expect(why).not.toContain('no gateway');
  });

  test.each([
    ['CERT_HAS_EXPIRED', `${AT} can not be trusted: its certificate has expired (CERT_HAS_EXPIRED)`],
    [
      'ERR_TLS_CERT_ALTNAME_INVALID',
      `${AT} can not be trusted: its certificate is for another name (ERR_TLS_CERT_ALTNAME_INVALID)`,
    ],
    ['ECONNREFUSED', `no gateway answers at ${AT} (ECONNREFUSED)`],
  ])('says what is wrong (%s)', (code, why) => {
    expect(whyNoAnswer(AT, failed(code))).toBe(why);
  });

  test('says what else there is to say', () => {
    const late = new DOMException('too late', 'TimeoutError');
    expect(whyNoAnswer(AT, late)).toBe(`no gateway answers at ${AT} (no answer in time)`);
    expect(whyNoAnswer(AT, new SyntaxError('no JSON'))).toContain('(SyntaxError: no JSON)');
  });
});
