import type { Clock } from '../../src/core/clock.js';

interface Timer {
  dueMs: number;
  readonly order: number;
  /** undefined: runs once. */
  readonly everyMs: number | undefined;
  readonly task: () => void;
}

/** More than this many rounds or timers within one turn is a test that would never end. */
const MAX_STEPS = 100_000;

/**
 * A clock that stands still until a test turns it.
 *
 * - `advance(ms)` moves time and runs what falls due, in order of due time (ties: in order of setting), each task at
 *   its own due time. Tasks given to `soon` run first, and after every timer.
 * - `turn(ms)` does the same, and lets promises go on between two timers: for code that sets a timer after an `await`.
 * - `flushSoon()` runs one round of `soon` tasks without moving time; what they set waits for the next round.
 * - `jumpWall(ms)` moves only the wall clock, as a clock that is put right does; no timer notices.
 */
export class TurnedClock implements Clock {
  #wallMs: number;
  // Not zero: there are caches that take zero for "never".
  #elapsedMs = 1000;
  #orders = 0;
  #soon: (() => void)[] = [];
  readonly #timers = new Set<Timer>();

  /** @param wallMs Wall time to start at, ms since the epoch. Default 2024-11-21T20:16:40Z. */
  constructor(wallMs = 1_732_219_200_000) {
    this.#wallMs = wallMs;
  }

  /** How many timers are set: 0 when everything that was opened has been closed. */
  get timers(): number {
    return this.#timers.size;
  }

  /** How many `soon` tasks wait. */
  get soons(): number {
    return this.#soon.length;
  }

  /** ms until the next timer is due; undefined when none is set. */
  get nextInMs(): number | undefined {
    const next = this.#next(Number.POSITIVE_INFINITY);
    return next === undefined ? undefined : Math.max(0, next.dueMs - this.#elapsedMs);
  }

  now(): number {
    return this.#wallMs;
  }

  elapsed(): number {
    return this.#elapsedMs;
  }

  after(delayMs: number, task: () => void): () => void {
    return this.#set(delayMs, undefined, task);
  }

  every(intervalMs: number, task: () => void): () => void {
    if (!(intervalMs > 0)) throw new Error(`an interval of ${String(intervalMs)} ms would never end`);
    return this.#set(intervalMs, intervalMs, task);
  }

  soon(task: () => void): void {
    this.#soon.push(task);
  }

  /** Moves time by `ms` (≥ 0) and runs what falls due, synchronously. What a task throws comes out here. */
  advance(ms: number): void {
    const targetMs = this.#elapsedMs + ms;
    let steps = 0;
    this.#flushAllSoon();
    for (let timer = this.#next(targetMs); timer !== undefined; timer = this.#next(targetMs)) {
      this.#run(timer, ++steps);
      this.#flushAllSoon();
    }
    this.#moveTo(targetMs);
  }

  /** As {@link advance}, with promises settled before the first timer, between timers, and at the end. */
  async turn(ms: number): Promise<void> {
    const targetMs = this.#elapsedMs + ms;
    let steps = 0;
    await this.#settle();
    for (let timer = this.#next(targetMs); timer !== undefined; timer = this.#next(targetMs)) {
      this.#run(timer, ++steps);
      // One after another is the point: a timer must see what the one before it has set off.
      await this.#settle();
    }
    this.#moveTo(targetMs);
    await this.#settle();
  }

  /** Runs the `soon` tasks that wait now, in order; returns how many there were. */
  flushSoon(): number {
    const tasks = this.#soon;
    this.#soon = [];
    for (const task of tasks) task();
    return tasks.length;
  }

  /** Moves the wall clock by `ms`, either way. */
  jumpWall(ms: number): void {
    this.#wallMs += ms;
  }

  #set(delayMs: number, everyMs: number | undefined, task: () => void): () => void {
    const timer = { dueMs: this.#elapsedMs + Math.max(0, delayMs), order: this.#orders++, everyMs, task };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  #next(targetMs: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs > targetMs) continue;
      if (next === undefined || timer.dueMs < next.dueMs) next = timer;
      else if (timer.dueMs === next.dueMs && timer.order < next.order) next = timer;
    }
    return next;
  }

  #run(timer: Timer, steps: number): void {
    if (steps > MAX_STEPS) throw new Error('timers keep falling due; time never gets on');
    this.#moveTo(timer.dueMs);
    if (timer.everyMs === undefined) this.#timers.delete(timer);
    else timer.dueMs += timer.everyMs;
    timer.task();
  }

  #moveTo(elapsedMs: number): void {
    const stepMs = Math.max(0, elapsedMs - this.#elapsedMs);
    this.#elapsedMs += stepMs;
    this.#wallMs += stepMs;
  }

  #flushAllSoon(): void {
    for (let rounds = 0; this.flushSoon() > 0; rounds += 1) {
      if (rounds > MAX_STEPS) throw new Error('soon tasks keep setting soon tasks');
    }
  }

  async #settle(): Promise<void> {
    for (let rounds = 0; rounds < 2 || this.#soon.length > 0; rounds += 1) {
      if (rounds > MAX_STEPS) throw new Error('soon tasks keep setting soon tasks');
      this.flushSoon();
      // Every microtask that is ready runs before the next turn of the real loop.
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
    }
  }
}
