/**
 * Limits how much work is begun: a bucket of tokens that fills at a steady rate. Work may begin while there is a token, and takes
 * as many as it costs, more than there are, too: the next has to wait until these are made up.
 */
export class TokenBucket {
  readonly #tokenMs: number;
  readonly #capacityMs: number;
  /** When the bucket is full again, ms. */
  #fullAt = -Infinity;

  /** Full at first. `perSecond` > 0, `capacity` ≥ 1. */
  constructor(perSecond: number, capacity: number) {
    this.#tokenMs = 1000 / perSecond;
    this.#capacityMs = capacity * this.#tokenMs;
  }

  /** Returns the ms until work may begin, 0 for now. `now` in ms; never goes back. */
  waitMs(now: number): number {
    const missingMs = this.#fullAt - now;
    return Math.max(0, Math.ceil(missingMs - this.#capacityMs + this.#tokenMs));
  }

  /** Takes the tokens of work that begins now. */
  take(tokens: number, now: number): void {
    this.#fullAt = Math.max(this.#fullAt, now) + tokens * this.#tokenMs;
  }
}
