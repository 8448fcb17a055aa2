import type { Clock } from '../clock.js';

/** Longest time in ms that fan-out holds the loop before it lets others run. */
const MAX_STRETCH_MS = 5;

/** Work on the loop in uninterrupted stretches, between which others run. */
export class Stretch {
  readonly #clock: Clock;
  readonly #sessions: number;
  #count = 0;
  #startedAt: number;
  #spentMs = 0;

  /** `sessions` are counted between two looks at the clock. */
  constructor(clock: Clock, sessions: number) {
    this.#clock = clock;
    this.#sessions = sessions;
    this.#startedAt = clock.elapsed();
  }

  /** Counts one session; true when others should run now. */
  isOver(): boolean {
    this.#count += 1;
    return this.#count % this.#sessions === 0 && this.#clock.elapsed() - this.#startedAt >= MAX_STRETCH_MS;
  }

  /** Lets the loop serve what is waiting. */
  async yield(): Promise<void> {
    this.#spentMs += this.#clock.elapsed() - this.#startedAt;
    await new Promise<void>((resolve) => {
      this.#clock.soon(resolve);
    });
    this.#startedAt = this.#clock.elapsed();
  }

  /** The loop time spent, in ms. */
  end(): number {
    return this.#spentMs + this.#clock.elapsed() - this.#startedAt;
  }
}

/**
 * Does something to each of many sessions in stretches; `sessions` are served between two looks at the clock. Resolves
 * when all are through.
 */
export async function inStretches<Item>(
  clock: Clock,
  sessions: number,
  items: Iterable<Item>,
  each: (item: Item) => void,
): Promise<void> {
  const stretch = new Stretch(clock, sessions);
  for (const item of items) {
    each(item);
    if (stretch.isOver()) await stretch.yield();
  }
}
