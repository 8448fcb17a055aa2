/** How many events arrive a second, over the last minute, in buckets of one second. */
export class EventRate {
  readonly #elapsed: () => number;
  readonly #history: number[] = [];
  #second: number;
  #count = 0;

  /** `elapsed` gives ms and never goes back. */
  constructor(elapsed: () => number) {
    this.#elapsed = elapsed;
    this.#second = Math.floor(elapsed() / 1000);
  }

  /** `count` events arrived. */
  add(count: number): void {
    this.#turn();
    this.#count += count;
  }

  /** Events a second, the mean of the last three full seconds. */
  get perSecond(): number {
    this.#turn();
    const recent = this.#history.slice(-3);
    return recent.length === 0 ? 0 : recent.reduce((sum, count) => sum + count, 0) / recent.length;
  }

  /** The full seconds of the last minute, oldest first. */
  get history(): readonly number[] {
    this.#turn();
    return this.#history;
  }

  #turn(): void {
    const now = Math.floor(this.#elapsed() / 1000);
    // A page that slept for an hour must not loop through it: a minute of zeros says the same.
    for (let steps = Math.min(now - this.#second, 60); steps > 0; steps -= 1) {
      this.#history.push(this.#count);
      this.#count = 0;
    }
    this.#second = now;
    this.#history.splice(0, Math.max(0, this.#history.length - 60));
  }
}
