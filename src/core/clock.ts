/** Time as core sees it; given through constructors so that tests can turn it. */
export interface Clock {
  /** Wall time, ms since the epoch. */
  now(): number;
  /** Time for measuring stretches, ms, never goes back, fractions allowed. */
  elapsed(): number;
  /** Runs `task` once after `delayMs` (≥ 0); returns what cancels it. Never keeps the process alive by itself. */
  after(delayMs: number, task: () => void): () => void;
  /** Runs `task` every `intervalMs` (> 0); returns what ends it. Never keeps the process alive by itself. */
  every(intervalMs: number, task: () => void): () => void;
  /** Runs `task` once when the loop has served what is waiting now. */
  soon(task: () => void): void;
}

/** The real clock of this process. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    timer.unref();
    return () => {
      clearTimeout(timer);
    };
  },
  every(intervalMs, task) {
    const timer = setInterval(task, intervalMs);
    timer.unref();
    return () => {
      clearInterval(timer);
    };
  },
  soon(task) {
    setImmediate(task);
  },
};
