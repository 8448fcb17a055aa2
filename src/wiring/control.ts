import type { ConfigFaults } from '../core/config/fault.js';
import { CommandJournal } from '../core/control/command-journal.js';
import type { CommandQueue } from '../core/control/command-queue.js';
import { type CommandRegistry, loadCommands } from '../core/control/command-registry.js';
import type { CommandStore } from '../core/control/command-store.js';
import { CommandFaults } from '../core/control/commands-module.js';
import { CommandGate } from '../core/control/gate.js';
import { LocalQueue } from '../core/control/process/local-queue.js';
import { MemoryCommandStore } from '../core/control/process/memory-command-store.js';
import { MemoryRateLimit } from '../core/control/process/memory-rate-limit.js';
import type { RateLimit } from '../core/control/rate-limit.js';
import { RoutedCommandStore } from '../core/control/routed-command-store.js';
import { RoutedQueue } from '../core/control/routed-queue.js';
import type { EventLog } from '../core/log/event-log.js';
import type { HostMonitor } from '../sources/host-monitor.js';
import { hostMonitorCommands } from '../sources/host-monitor-commands.js';
import type { Base } from './base.js';
import { moduleFaults } from './module-faults.js';
import type { RedisControlParts } from './redis-control.js';

/** The way in for commands. */
export interface OpenedControl {
  readonly gate: CommandGate;
  readonly registry: CommandRegistry;
  /** What is written down of commands. */
  readonly journal: CommandJournal;
}

/** Where commands go, and what counts how many one client sends. */
interface OpenedStore {
  readonly store: CommandStore;
  readonly rateLimit: RateLimit;
}

/** The command gate and what is behind it; faults of the commands module come back as such. */
export async function openControl(
  base: Base,
  log: EventLog,
  monitor: HostMonitor,
): Promise<OpenedControl | ConfigFaults> {
  const { config, clock, logger, counters, closers, tracing } = base;
  const { commandsModule, redisUrl } = config;
  const builtIn = hostMonitorCommands(monitor);
  const registry = await loadCommands(
    commandsModule,
    builtIn.map(({ spec }) => spec),
    { workers: redisUrl !== undefined },
  );
  if (registry instanceof CommandFaults) return moduleFaults(commandsModule, registry);
  const journal = new CommandJournal({ clock, logger, counters, actions: registry.actions, tracing });
  const local = new LocalQueue(builtIn, logger, tracing);
  const inMemory = (queue: CommandQueue): CommandStore =>
    new MemoryCommandStore({
      queue,
      publish: (event) => log.append([event]),
      outcomeType: config.commandOutcomeType,
      clock,
      logger,
      counters,
      journal,
    });
  const { store, rateLimit } =
    redisUrl === undefined
      ? await openThreads(base, local, inMemory)
      : await openQueues(base, redisUrl, { registry, journal, local: inMemory(local) });
  const gate = new CommandGate({
    registry,
    store,
    rateLimit,
    clock,
    journal,
    tracing,
    controlWaitMs: config.controlWaitMs,
  });
  closers.add('commands', () => gate.close());
  return { gate, registry, journal };
}

async function openThreads(
  { config, clock, logger, tracing }: Base,
  local: LocalQueue,
  inMemory: (queue: CommandQueue) => CommandStore,
): Promise<OpenedStore> {
  const { commandsModule, controlRatePerSecond } = config;
  const rateLimit = new MemoryRateLimit(controlRatePerSecond);
  if (commandsModule === undefined) return { store: inMemory(new RoutedQueue({ local })), rateLimit };
  const { ThreadQueue } = await import('../core/control/process/thread-queue.js');
  const worker = new ThreadQueue({ commandsModule, clock, logger, tracing });
  return { store: inMemory(new RoutedQueue({ local, worker })), rateLimit };
}

async function openQueues(
  base: Base,
  url: string,
  { local, ...parts }: RedisControlParts & { readonly local: CommandStore },
): Promise<OpenedStore> {
  const { openRedisControl } = await import('./redis-control.js');
  const { store: worker, rateLimit } = openRedisControl(base, url, parts);
  return { store: new RoutedCommandStore({ local, worker }), rateLimit };
}
