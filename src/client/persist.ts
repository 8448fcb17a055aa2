import { Backoff } from './backoff.js';
import { GatewayError } from './gateway-error.js';

/** How long to go on trying. */
export interface Patience {
  /** ms for all tries together; once they are over, the last error stands. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Gives numbers in [0, 1). */
  readonly random: () => number;
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
  { timeoutMs, signal, random }: Patience,
): Promise<T> {
  const until = Date.now() + timeoutMs;
  const backoff = new Backoff(random);
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await task(until - Date.now());
    } catch (error) {
      if (!(error instanceof GatewayError) || !mayRetry(error)) throw error;
      const { retryAfterMs } = error;
      const waitMs = retryAfterMs === null ? backoff.next() : retryAfterMs * (1 + SPREAD * random());
      if (Date.now() + waitMs >= until) throw error;
      await pause(waitMs, signal);
    }
  }
}

/** Waits; rejects with the signal's reason when that is aborted. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', abort, { once: true });
  });
}
