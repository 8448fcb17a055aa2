import type { Clock } from './clock.js';

/** Resolves when `ended` does, or after `delayMs`, whichever comes first. Rejects if `ended` does so in time. */
export async function within(clock: Clock, delayMs: number, ended: Promise<unknown>): Promise<void> {
  const timer: { cancel?: () => void } = {};
  const timeUp = new Promise<void>((resolve) => {
    timer.cancel = clock.after(delayMs, resolve);
  });
  try {
    await Promise.race([ended, timeUp]);
  } finally {
    timer.cancel?.();
  }
}
