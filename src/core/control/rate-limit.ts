import type { Refusal } from '../errors.js';

/** How often somebody may do something. */
export interface RateLimit {
  /**
   * Counts one use by `key`. True while it is within the limit, else `rate_limited` with the ms after which the next
   * one is allowed; uses that are refused do not put that off.
   */
  take(key: string): Promise<true | Refusal>;
}
