import process from 'node:process';
import { systemClock } from './core/clock.js';
import { Closers } from './core/closers.js';
import type { Config } from './core/config/config.js';
import { type ConfigFault, ConfigFaults } from './core/config/fault.js';
import { CommandWorker } from './core/control/redis/command-worker.js';
import { CommandFaults, importCommands } from './core/control/commands-module.js';
import type { Logger } from './core/logger.js';
import { Counters } from './core/metrics/counters.js';
import { RefusedPermissions } from './core/redis/refused-permissions.js';
import { runService, type Service } from './service.js';
import { moduleFaults } from './wiring/module-faults.js';
import { openTracing } from './wiring/tracing.js';

/** How long the worker of one queue may take to close, ms: what it lets commands take to end, and some more. */
const CLOSE_DEADLINE_MS = 25_000;

/** Runs a worker as this process: it executes the commands that gateways put into Redis. */
export function launchWorker(): Promise<void> {
  return runService(({ config }, logger) => startWorker(config, logger));
}

/** Wires and starts a worker for each queue that `COMMANDS_MODULE` has handlers for. */
async function startWorker(config: Config, logger: Logger): Promise<Service | ConfigFaults> {
  const { redisUrl: url, commandsModule, redisKeyPrefix: keyPrefix } = config;
  if (url === undefined || commandsModule === undefined) return new ConfigFaults(missing(config));
  const commands = await importCommands(commandsModule);
  if (commands instanceof CommandFaults) return moduleFaults(commandsModule, commands);
  const own = [...commands.values()].filter(({ handler }) => handler !== undefined);
  if (own.length === 0) {
    const nothing = new CommandFaults(['none of its commands has a handler: there is nothing to execute']);
    return moduleFaults(commandsModule, nothing);
  }
  const queues = [...new Set(own.map(({ spec }) => spec.queue))];
  const clock = systemClock;
  const closers = new Closers(clock, logger, CLOSE_DEADLINE_MS);
  const counters = new Counters();
  const permissions = new RefusedPermissions({ clock, logger, counters });
  const tracing = await openTracing({ config, clock, logger, counters, closers });
  const workers = queues.map(
    (queue) =>
      new CommandWorker({
        url,
        keyPrefix,
        queue,
        commandsModule,
        clock,
        logger,
        tracing,
        onError: permissions.of('work'),
      }),
  );
  closers.add('workers', () => Promise.all(workers.map((worker) => worker.close())));
  const actions = own.map(({ spec }) => spec.action);
  return {
    started: ['flipgate is working', { queues, actions, pid: process.pid }],
    stop: () => closers.closeAll(),
  };
}

function missing({ redisUrl, commandsModule }: Config): ConfigFault[] {
  const faults: ConfigFault[] = [];
  if (redisUrl === undefined) {
    faults.push(unset('REDIS_URL', 'a worker needs the Redis through which gateways reach it'));
  }
  if (commandsModule === undefined) {
    faults.push(unset('COMMANDS_MODULE', 'a worker needs the module with the handlers it is to execute'));
  }
  return faults;
}

function unset(variable: string, remedy: string): ConfigFault {
  return { variable, value: '', source: 'default', remedy };
}
