import { setTimeout as sleep } from 'node:timers/promises';

/** How often a condition is looked at, ms. */
const EVERY_MS = 50;

/** Waits until `condition` holds, at most `deadlineMs`; false where it never did. What it throws, this throws. */
export async function until(
  deadlineMs: number,
  condition: () => Promise<boolean> | boolean,
  everyMs = EVERY_MS,
): Promise<boolean> {
  const startedAt = performance.now();
  for (;;) {
    if (await condition()) return true;
    if (performance.now() - startedAt > deadlineMs) return false;
    await sleep(everyMs);
  }
}
