import { describe, expect, test } from '@jest/globals';
import { ERRORS, type ErrorCode, Refusal } from '../../../src/core/errors.js';

describe('errors', () => {
  test.each(Object.entries(ERRORS))('%s has a status of an error', (code, row) => {
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(row.status).toBeGreaterThanOrEqual(400);
    expect(row.status).toBeLessThan(600);
    // A client must not be told to come back by one half of a row and to stay away by the other.
    if (row.retryable) expect(row.disconnect).not.toBe('stay_away');
  });

  test('a refusal has one shape on every wire', () => {
    expect(new Refusal('rate_limited', 'slower', 250).toBody()).toEqual({
      error: { code: 'rate_limited', message: 'slower', retryable: true, retryAfterMs: 250 },
    });
    expect(Object.keys(new Refusal('invalid_type', 'no').toBody().error)).toEqual([
      'code',
      'message',
      'retryable',
    ]);
  });

  test('a refusal has the status of its code', () => {
    for (const code of Object.keys(ERRORS) as ErrorCode[]) {
      expect(new Refusal(code, '').status).toBe(ERRORS[code].status);
    }
    expect(ERRORS.rate_limited.status).toBe(429);
    expect(ERRORS.log_unavailable).toEqual({ status: 503, retryable: true, disconnect: 'none' });
    expect(ERRORS.transport_disabled.status).toBe(404);
  });

  test('a refusal is a value, no Error: what is thrown is a bug', () => {
    expect(new Refusal('internal', '')).not.toBeInstanceOf(Error);
  });
});
