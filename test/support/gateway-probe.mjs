// Loaded into a gateway under test, with --expose-gc: answers over IPC what it holds in memory after a collection.
import process from 'node:process';
import { setImmediate } from 'node:timers/promises';

/** Finalizers run between collections, and free what only they held. */
const COLLECTIONS = 3;

process.on('message', async ({ ask }) => {
  for (let done = 0; done < COLLECTIONS; done += 1) {
    globalThis.gc();
    await setImmediate();
  }
  const { heapUsed, external } = process.memoryUsage();
  process.send({ ask, heldBytes: heapUsed + external });
});
// A thread has none.
process.channel?.unref();
