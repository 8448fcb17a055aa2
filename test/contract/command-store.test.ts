import path from 'node:path';
import { systemClock } from '../../src/core/clock.js';
import { CommandJournal } from '../../src/core/control/command-journal.js';
import { MemoryCommandStore } from '../../src/core/control/process/memory-command-store.js';
import { ThreadQueue } from '../../src/core/control/process/thread-queue.js';
import type { NewEvent } from '../../src/core/event.js';
import { Counters } from '../../src/core/metrics/counters.js';
import { CommandNode } from '../support/command-node.js';
import { ROOT } from '../support/launched-gateway.js';
import { silentLogger } from '../support/silent-logger.js';
import { commandStoreContract } from './command-store.js';

commandStoreContract('memory', () => {
  const events: NewEvent[] = [];
  const common = { clock: systemClock, logger: silentLogger };
  const queue = new ThreadQueue({
    ...common,
    commandsModule: path.join(ROOT, 'test/support/commands.mjs'),
    workerFile: path.join(
      process.env['FLIPGATE_DIST'] ?? path.join(ROOT, 'dist'),
      'core/control/process/thread-worker.js',
    ),
  });
  const counters = new Counters();
  const store = new MemoryCommandStore({
    ...common,
    queue,
    counters,
    journal: new CommandJournal({ ...common, counters, actions: [] }),
    publish: (event) => Promise.resolve(events.push(event)),
  });
  const published = (): unknown[] => events.map(({ dataJson }) => JSON.parse(dataJson) as unknown);
  return Promise.resolve({
    store,
    published: () => Promise.resolve(published()),
    close: () => Promise.resolve(),
  });
});

commandStoreContract('redis', async () => {
  const node = new CommandNode();
  const worker = node.work();
  await node.follower.begun;
  return {
    store: node.store,
    published: async () => (await node.published()).map(({ data }) => data as unknown),
    close: async () => {
      await worker.close();
      await node.close();
    },
  };
});
