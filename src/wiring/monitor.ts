import type { EventLog } from '../core/log/event-log.js';
import { HostMonitor } from '../sources/host-monitor.js';
import { realHost } from '../sources/host-reader.js';
import type { Base } from './base.js';

/** The host monitor, which publishes into the log once it is started. */
export function createMonitor({ clock, logger, counters, closers }: Base, log: EventLog): HostMonitor {
  const monitor = new HostMonitor({
    host: realHost,
    clock,
    logger,
    counters,
    publish: (event) => log.append([event]),
  });
  closers.add('host monitor', () => {
    monitor.stop();
  });
  return monitor;
}
