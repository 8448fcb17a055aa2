import { readdir } from 'node:fs/promises';
import process from 'node:process';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { COUNTER_METRICS } from './counter-table.js';
import type { Counters } from './counters.js';
import { type DeliverySources, tellDelivery } from './delivery-metrics.js';
import { type OperationSources, tellOperation } from './operation-metrics.js';
import { type Told, ToldMetrics } from './told-metrics.js';

/** What an {@link Exposition} tells of. */
export interface ExpositionSources extends DeliverySources, OperationSources {
  readonly counters: Counters;
}

/**
 * Default metrics that are not told as prom-client has them. Some go through all sockets at each scrape, in one stretch: with
 * many clients that holds the loop. CPU time it counts from when it was loaded. To the loop's lag it adds its own pause
 * between two looks, and without looks it tells nonsense: `flipgate_event_loop_lag_seconds` is what is meant.
 */
const REPLACED = [
  ...['', 'min_', 'max_', 'mean_', 'stddev_', 'p50_', 'p90_', 'p99_'].map(
    (which) => `nodejs_eventloop_lag_${which}seconds`,
  ),
  'nodejs_active_resources',
  'nodejs_active_resources_total',
  'nodejs_active_handles',
  'nodejs_active_handles_total',
  'nodejs_active_requests',
  'nodejs_active_requests_total',
  'process_open_fds',
  'process_cpu_user_seconds_total',
  'process_cpu_system_seconds_total',
  'process_cpu_seconds_total',
];
/** Where Linux lists the open files of this process. */
const OPEN_FILES = '/proc/self/fd';

/**
 * All figures as Prometheus scrapes them. It counts nothing: everything is read at the scrape from where it is kept anyway.
 */
export class Exposition {
  readonly #registry = new Registry();

  constructor(sources: ExpositionSources) {
    const metrics = new ToldMetrics(this.#registry);
    tellDelivery(metrics, sources);
    tellOperation(metrics, sources);
    for (const [name, { help, label, known = [] }] of Object.entries(COUNTER_METRICS)) {
      const labels = label === null ? [] : [label];
      metrics.counter({ name: `flipgate_${name}_total`, help, labels }, () =>
        label === null ? [[sources.counters.get(name)]] : byReason(sources.counters, name, label, known),
      );
    }
    collectDefaultMetrics({ register: this.#registry });
    for (const name of REPLACED) this.#registry.removeSingleMetric(name);
    tellCpu(metrics);
    this.#tellOpenFiles();
  }

  /** Of {@link text}. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The figures of this moment, in Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** As prom-client's own does, but without holding the loop. */
  #tellOpenFiles(): void {
    const gauge = new Gauge({
      name: 'process_open_fds',
      help: 'Number of open file descriptors.',
      registers: [this.#registry],
      collect: async () => {
        gauge.remove();
        const files = await readdir(OPEN_FILES).catch(() => undefined);
        // One is the list's own.
        if (files !== undefined) gauge.set(files.length - 1);
      },
    });
  }
}

function tellCpu(metrics: ToldMetrics): void {
  const tell = (of: string, name: string, read: (usage: NodeJS.CpuUsage) => number): void => {
    const help = `Total ${of} CPU time spent in seconds.`;
    metrics.counter({ name, help }, () => [[read(process.cpuUsage()) / 1e6]]);
  };
  tell('user', 'process_cpu_user_seconds_total', ({ user }) => user);
  tell('system', 'process_cpu_system_seconds_total', ({ system }) => system);
  tell('user and system', 'process_cpu_seconds_total', ({ user, system }) => user + system);
}

function byReason(
  counters: Counters,
  name: string,
  label: string,
  known: readonly string[],
): readonly Told[] {
  const counts = new Map(known.map((reason) => [reason, 0]));
  for (const [reason, count] of counters.of(name)) counts.set(reason, count);
  return [...counts].map(([reason, count]) => [count, { [label]: reason }]);
}
