import type { Clock } from './clock.js';
import type { ErrorCode, Refusal } from './errors.js';
import { LineAllowance } from './line-allowance.js';
import type { Logger } from './logger.js';

/** Codes of refused sign-ins and refused rights. */
const AUDITED: readonly ErrorCode[] = [
  'unauthenticated',
  'invalid_token',
  'token_expired',
  'too_many_attempts',
  'principal_denied',
  'forbidden',
  'origin_not_allowed',
  'host_not_allowed',
];
/** Lines a second of one code: anybody can be refused as often as they like. */
const LINES_PER_SECOND = 10;
/** Most characters of what a caller chose. */
const MAX_LENGTH = 256;

/** A refused request, as far as it is logged: no credentials, no query, no data. */
export interface RefusedRequest {
  /** The client's address. */
  readonly address: string;
  /** The id of the principal; undefined where it is not known. */
  readonly principal: string | undefined;
  /** The target of the request: method and path, or the name of a Socket.IO event. */
  readonly asked: string;
}

/**
 * Logs refused sign-ins and refused rights as lines with `audit: 'refusal'`: code, reason, address, principal and what was
 * asked for. Of each code at most ten lines a second, then how many were left out, so that a flood of one hides no other.
 */
export class Audit {
  readonly #logger: Logger;
  readonly #allowances: ReadonlyMap<ErrorCode, LineAllowance>;

  constructor(clock: Clock, logger: Logger) {
    const allowance = (code: ErrorCode): LineAllowance =>
      new LineAllowance(clock, LINES_PER_SECOND, (leftOut) => {
        logger.warn('lines about refusals were left out', { audit: 'refusal', code, leftOut });
      });
    this.#logger = logger;
    this.#allowances = new Map(AUDITED.map((code) => [code, allowance(code)]));
  }

  /** Logs a refusal, where its code is one of those; `describe` is called for lines that are written. */
  refused({ code, message }: Pick<Refusal, 'code' | 'message'>, describe: () => RefusedRequest): void {
    if (this.#allowances.get(code)?.take() !== true) return;
    const { address, principal, asked } = describe();
    this.#logger.info('a request was refused', {
      audit: 'refusal',
      code,
      reason: message.slice(0, MAX_LENGTH),
      address,
      principal,
      asked: asked.slice(0, MAX_LENGTH),
    });
  }
}
