import { Refusal } from '../errors.js';

/** How often somebody may do something. */
export interface RateLimit {
  /**
   * Counts one use by `key`. True while it is within the limit, else `rate_limited` with the ms after which the next
   * one is allowed; uses that are refused do not put that off.
   */
  take(key: string): Promise<true | Refusal>;
}

/** What a use beyond the limit is refused with. `waitMs` is how long the next one is not allowed. */
export function rateLimited(perSecond: number, waitMs: number): Refusal {
  const message = `more than ${String(perSecond)} commands a second`;
  return new Refusal('rate_limited', message, Math.max(1, Math.ceil(waitMs)));
}
