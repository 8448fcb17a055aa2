/** How many packets one connection may send now: a bucket that holds what a second brings. It refills by whole packets. */
export class PacketAllowance {
  readonly #perSecond: number;
  #packets: number;
  /** Refills there were until the last look, since time began. */
  #refills: number;

  /** @param perSecond ≥ 1. @param now In ms, as in all calls; never goes back. */
  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond;
    this.#packets = perSecond;
    this.#refills = this.#refillsUntil(now);
  }

  /** Takes one packet; false when there was none. */
  take(now: number): boolean {
    const refills = this.#refillsUntil(now);
    this.#packets = Math.min(this.#perSecond, this.#packets + refills - this.#refills);
    this.#refills = refills;
    if (this.#packets === 0) return false;
    this.#packets -= 1;
    return true;
  }

  #refillsUntil(now: number): number {
    return Math.floor((now * this.#perSecond) / 1000);
  }
}
