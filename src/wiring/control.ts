import type { Clock } from '../core/clock.js';
import { ConfigFaults } from '../core/config/fault.js';
import type { CommandQueue } from '../core/control/command-queue.js';
import { type CommandRegistry, loadCommands } from '../core/control/command-registry.js';
import { CommandFaults } from '../core/control/commands-module.js';
import { CommandGate } from '../core/control/gate.js';
import { LocalQueue } from '../core/control/local-queue.js';
import { MemoryRateLimit } from '../core/control/memory-rate-limit.js';
import { RoutedQueue } from '../core/control/routed-queue.js';
import type { EventLog } from '../core/log/event-log.js';
import type { Logger } from '../core/logger.js';
import type { HostMonitor } from '../sources/host-monitor.js';
import { hostMonitorCommands } from '../sources/host-monitor-commands.js';
import type { Base } from './base.js';

/** The way in for commands. */
export interface OpenedControl {
  readonly gate: CommandGate;
  readonly registry: CommandRegistry;
}

/** The command gate and what executes commands; faults of the commands module come back as such. */
export async function openControl(
  { config, clock, logger, counters, closers }: Base,
  log: EventLog,
  monitor: HostMonitor,
): Promise<OpenedControl | ConfigFaults> {
  const { commandsModule } = config;
  const builtIn = hostMonitorCommands(monitor);
  const registry = await loadCommands(
    commandsModule,
    builtIn.map(({ spec }) => spec),
  );
  if (registry instanceof CommandFaults) {
    const value = String(commandsModule);
    return new ConfigFaults(
      registry.faults.map((remedy) => ({ variable: 'COMMANDS_MODULE', value, source: value, remedy })),
    );
  }
  const local = new LocalQueue(builtIn, logger);
  const worker =
    commandsModule === undefined ? {} : { worker: await openThreads(commandsModule, clock, logger) };
  const gate = new CommandGate({
    registry,
    queue: new RoutedQueue({ local, ...worker }),
    rateLimit: new MemoryRateLimit(config.controlRatePerSecond),
    publish: (event) => log.append([event]),
    clock,
    logger,
    counters,
    controlWaitMs: config.controlWaitMs,
  });
  closers.add('commands', () => gate.close());
  return { gate, registry };
}

async function openThreads(commandsModule: string, clock: Clock, logger: Logger): Promise<CommandQueue> {
  const { ThreadQueue } = await import('../core/control/thread-queue.js');
  return new ThreadQueue({ commandsModule, clock, logger });
}
