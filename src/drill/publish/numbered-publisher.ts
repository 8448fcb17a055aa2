import type { Clock } from '../../core/clock.js';

/** How long a publisher gathers what is due, ms. */
const TICK_MS = 20;
/** Events of one publication at most: what is due beyond it goes into the next. */
const MOST_AT_ONCE = 200;

/** Publishes events of these numbers; true once they are stored, false where nobody knows whether they are. */
export type Publish = (numbers: readonly number[]) => Promise<boolean>;

/** Who publishes, how often, and how. */
export interface PublisherOptions {
  readonly name: string;
  /** Events a second. */
  readonly rate: number;
  readonly publish: Publish;
  readonly clock: Clock;
}

/**
 * A publisher whose events are numbered 0, 1, 2, …, each number once, one publication after another. It knows of each
 * whether it was acknowledged.
 */
export class NumberedPublisher {
  readonly name: string;
  readonly #options: PublisherOptions;
  readonly #unknown: number[] = [];
  #next = 0;
  #startedAt = 0;
  #running: Promise<void> | undefined;
  #stopping = false;

  constructor(options: PublisherOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** Numbers below it were published, and their fate is known as far as it ever will be. */
  get done(): number {
    return this.#next;
  }

  /** Numbers below {@link done} of which nobody knows whether they were stored, ascending. */
  get unknown(): readonly number[] {
    return this.#unknown;
  }

  /** Begins to publish. */
  start(): void {
    this.#startedAt = this.#options.clock.elapsed();
    this.#running = this.#run();
  }

  /** Publishes no more; resolves when all is answered. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, rate, publish } = this.#options;
    while (!this.#stopping) {
      const due = Math.floor(((clock.elapsed() - this.#startedAt) / 1000) * rate) - this.#next;
      if (due <= 0) {
        await new Promise<void>((resolve) => clock.after(TICK_MS, resolve));
        continue;
      }
      const count = Math.min(due, MOST_AT_ONCE);
      const numbers = Array.from({ length: count }, (_, index) => this.#next + index);
      if (!(await publish(numbers))) this.#unknown.push(...numbers);
      this.#next += count;
      await new Promise<void>((resolve) => clock.after(TICK_MS, resolve));
    }
  }
}
