import { beforeEach, expect, test } from '@jest/globals';
import { Audit } from '../../../src/core/audit.js';
import { type ErrorCode, Refusal } from '../../../src/core/errors.js';
import type { Logger } from '../../../src/core/logger.js';
import { silentLogger } from '../../support/silent-logger.js';
import { TurnedClock } from '../../support/turned-clock.js';

type Line = Readonly<Record<string, unknown>>;

let clock: TurnedClock;
let lines: Line[];
let audit: Audit;

beforeEach(() => {
  clock = new TurnedClock();
  lines = [];
  const keep = (message: string, fields: object = {}): void => void lines.push({ message, ...fields });
  const logger: Logger = { ...silentLogger, info: keep, warn: keep };
  audit = new Audit(clock, logger);
});

function refuse(code: ErrorCode, asked = 'GET /api/me', message = 'no'): void {
  audit.refused(new Refusal(code, message), () => ({ address: '192.0.2.7', principal: 'key:a', asked }));
}

test('a refused right is a line: who, from where, what, and why not', () => {
  refuse('forbidden', 'GET /metrics', 'takes the right to administer: metrics');
  expect(lines).toEqual([
    {
      message: 'a request was refused',
      audit: 'refusal',
      code: 'forbidden',
      reason: 'takes the right to administer: metrics',
      address: '192.0.2.7',
      principal: 'key:a',
      asked: 'GET /metrics',
    },
  ]);
});

test('refusals that are neither of a sign-in nor of a right are none of its concern', () => {
  for (const code of ['bad_request', 'rate_limited', 'not_found', 'auth_unavailable'] as const) refuse(code);
  expect(lines).toEqual([]);
});

test('a flood of one kind is cut to ten lines a second, and hides no other kind', () => {
  for (let n = 0; n < 1000; n += 1) refuse('invalid_token');
  refuse('forbidden');
  expect(lines.map(({ code }) => code)).toEqual([
    ...Array.from({ length: 10 }, () => 'invalid_token'),
    'forbidden',
  ]);
  clock.advance(1000);
  expect(lines.at(-1)).toEqual({
    message: 'lines about refusals were left out',
    audit: 'refusal',
    code: 'invalid_token',
    leftOut: 990,
  });
  refuse('invalid_token');
  expect(lines.at(-1)).toMatchObject({ code: 'invalid_token', asked: 'GET /api/me' });
});

test('what a caller chose is cut', () => {
  refuse('forbidden', 'x'.repeat(100_000), 'y'.repeat(100_000));
  expect([String(lines[0]?.['asked']).length, String(lines[0]?.['reason']).length]).toEqual([256, 256]);
});
