import { type CommandSpec, DEFAULT_QUEUEING } from '../core/control/command-queue.js';
import { DEFAULT_OUTCOME_TYPE, DEFAULT_TIMEOUT_MS } from '../core/control/commands-module.js';
import type { LocalCommand } from '../core/control/process/local-queue.js';
import type { HostMonitor } from './host-monitor.js';

/**
 * The built-in commands that steer a host monitor: `host-monitor.start`, `host-monitor.stop` and
 * `host-monitor.interval` `{ms}`. Each results in the monitor's state, `{running, intervalMs}`.
 */
export function hostMonitorCommands(monitor: HostMonitor): LocalCommand[] {
  return [
    { spec: specOf('host-monitor.start'), handler: () => monitor.start() },
    { spec: specOf('host-monitor.stop'), handler: () => monitor.stop() },
    { spec: specOf('host-monitor.interval'), handler: (data) => monitor.changeInterval(msOf(data)) },
  ];
}

function specOf(action: string): CommandSpec {
  return {
    action,
    timeoutMs: DEFAULT_TIMEOUT_MS,
    role: undefined,
    publishes: { type: DEFAULT_OUTCOME_TYPE, room: undefined },
    where: 'local',
    ...DEFAULT_QUEUEING,
  };
}

function msOf(data: unknown): unknown {
  return typeof data === 'object' && data !== null ? (data as Record<string, unknown>)['ms'] : undefined;
}
