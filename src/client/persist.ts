import { Backoff } from './backoff.js';
import type { GatewayError } from './gateway-error.js';

/** How long to go on trying. */
export interface Patience {
  /** ms for all tries together; once they are over, the last error stands. Default 30 s. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Gives numbers in [0, 1); default `Math.random`. */
  readonly random?: () => number;
}

/** Retries wait a little longer than the gateway says, by up to so much, so that they do not all come at once. */
const SPREAD = 0.2;

/**
 * Does a task until it succeeds, fails with what `mayRetry` says no to, or time is up. Between two tries it waits as long
 * as the gateway named, else an exponential time with full jitter. The task is told how many ms it has left.
 */
export async function persist<T>(
  task: (leftMs: number) => Promise<T>,
  mayRetry: (error: GatewayError) => boolean,
  { timeoutMs = 30_000, signal, random = Math.random }: Patience = {},
): Promise<T> {
  const until = Date.now() + timeoutMs;
  const backoff = new Backoff(random);
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await task(until - Date.now());
    } catch (thrown) {
      // What is none of the gateway's is not retryable either.
      const error = thrown as GatewayError;
      if (!mayRetry(error)) throw error;
      const { retryAfterMs } = error;
      const waitMs = retryAfterMs === null ? backoff.next() : retryAfterMs * (1 + SPREAD * random());
      if (Date.now() + waitMs >= until) throw error;
      await pause(waitMs, signal);
    }
  }
}

/** Waits; rejects with the signal's reason when that is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      if (signal?.aborted) reject(signal.reason as Error);
      else resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done);
  });
}
