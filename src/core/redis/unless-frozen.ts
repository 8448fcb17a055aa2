import type { Clock } from '../clock.js';
import { connectAgain, type RedisConnection } from './redis-connection.js';

/**
 * What Redis answers to a read. Rejects when that takes longer than `maxMs`, and has the connection made anew: what may
 * still be answered was asked by one that is no more.
 */
export async function unlessFrozen<Answer>(
  answer: Promise<Answer>,
  {
    reader,
    clock,
    maxMs,
  }: { readonly reader: RedisConnection; readonly clock: Clock; readonly maxMs: number },
): Promise<Answer> {
  let stopWaiting: (() => void) | undefined;
  const frozen = new Promise<never>((_, reject) => {
    stopWaiting = clock.after(maxMs, () => {
      connectAgain(reader);
      reject(new FrozenError());
    });
  });
  return Promise.race([answer, frozen]).finally(() => stopWaiting?.());
}

/** Redis took far longer than it was to. */
export class FrozenError extends Error {
  constructor() {
    super('redis does not answer');
  }
}
