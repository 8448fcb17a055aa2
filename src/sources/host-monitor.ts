import type { Clock } from '../core/clock.js';
import { Refusal } from '../core/errors.js';
import type { NewEvent } from '../core/event.js';
import type { Logger } from '../core/logger.js';
import type { Counters } from '../core/metrics/counters.js';
import { cpuLoad } from './cpu-load.js';
import type { HostReader } from './host-reader.js';

/** What a {@link HostMonitor} is made of. */
export interface HostMonitorOptions {
  readonly host: HostReader;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
  /** Enters an event into the log; resolves to a refusal, or rejects, when that did not work. */
  readonly publish: (event: NewEvent) => Promise<unknown>;
  /** ms between samples, {@link MIN_INTERVAL_MS}–{@link MAX_INTERVAL_MS}. Default 1000. */
  readonly intervalMs?: number;
}

/** What the monitor does now. */
export interface HostMonitorState {
  readonly running: boolean;
  /** ms between samples. */
  readonly intervalMs: number;
}

/** Shortest interval between samples, ms. */
export const MIN_INTERVAL_MS = 100;

/** Longest interval between samples, ms. */
export const MAX_INTERVAL_MS = 60_000;

/** ms from `start` to the first sample: CPU load needs a stretch of time, and pages should not wait for long. */
const FIRST_SAMPLE_MS = 200;

/**
 * Publishes this host's real numbers, once per interval, as two events under policy `latest` (key: the host's name):
 * `system_load_update` `{host, cpuPercent, perCpuPercent, load, timestamp}` and
 * `system_status_update` `{host, status, uptimeSeconds, memory, process, hostMonitor, timestamp}`.
 * CPU percentages are of the whole machine since the sample before; `load` is zeros on Windows.
 *
 * Samples never pile up: one that would start while the last is still being published is left out
 * (`host_monitor_skipped`). A publication that fails is counted (`host_monitor_failures`); only the first is logged.
 */
export class HostMonitor {
  readonly #options: HostMonitorOptions;
  readonly #host: string;
  #intervalMs: number;
  #cancel: (() => void) | undefined;
  #sampledAtMs = 0;
  #cpus: ReturnType<HostReader['cpus']> = [];
  #publishing = 0;
  #failing = false;

  constructor(options: HostMonitorOptions) {
    this.#options = options;
    this.#host = hostKey(options.host.hostname());
    this.#intervalMs = options.intervalMs ?? 1000;
  }

  get state(): HostMonitorState {
    return { running: this.#cancel !== undefined, intervalMs: this.#intervalMs };
  }

  /** Starts; the first sample is published 200 ms later. Does nothing when it runs already. */
  start(): HostMonitorState {
    if (this.#cancel === undefined) {
      this.#takeReading();
      this.#schedule(Math.min(FIRST_SAMPLE_MS, this.#intervalMs));
    }
    return this.state;
  }

  /** Stops, and publishes one last status so that pages see it. Does nothing when it is stopped. */
  stop(): HostMonitorState {
    if (this.#cancel !== undefined) {
      this.#cancel();
      this.#cancel = undefined;
      void this.#publish('system_status_update', this.#status());
    }
    return this.state;
  }

  /**
   * Changes the interval, from the last sample on, and publishes a status when it runs.
   * @param intervalMs Whole ms, {@link MIN_INTERVAL_MS}–{@link MAX_INTERVAL_MS}; else a `bad_request`.
   */
  changeInterval(intervalMs: unknown): HostMonitorState | Refusal {
    if (!isInterval(intervalMs)) {
      const range = `${String(MIN_INTERVAL_MS)}–${String(MAX_INTERVAL_MS)}`;
      return new Refusal('bad_request', `ms must be a whole number of milliseconds, ${range}`);
    }
    this.#intervalMs = intervalMs;
    if (this.#cancel !== undefined) {
      this.#cancel();
      this.#schedule(Math.max(0, this.#sampledAtMs + intervalMs - this.#options.clock.elapsed()));
      void this.#publish('system_status_update', this.#status());
    }
    return this.state;
  }

  #schedule(delayMs: number): void {
    this.#cancel = this.#options.clock.after(delayMs, () => {
      this.#schedule(this.#intervalMs);
      this.#sample();
    });
  }

  #sample(): void {
    if (this.#publishing > 0) {
      this.#options.counters.add('host_monitor_skipped');
      return;
    }
    const before = this.#cpus;
    this.#takeReading();
    const load = {
      host: this.#host,
      ...cpuLoad(before, this.#cpus),
      load: this.#options.host.loadAverages(),
    };
    void this.#publish('system_load_update', load);
    void this.#publish('system_status_update', this.#status());
  }

  #takeReading(): void {
    this.#cpus = this.#options.host.cpus();
    this.#sampledAtMs = this.#options.clock.elapsed();
  }

  #status(): object {
    const { host } = this.#options;
    const totalBytes = host.totalBytes();
    const usedBytes = Math.max(0, totalBytes - host.freeBytes());
    return {
      host: this.#host,
      status: 'online',
      uptimeSeconds: Math.round(host.hostUptimeSeconds()),
      memory: {
        totalBytes,
        usedBytes,
        usedPercent: totalBytes > 0 ? Math.round((usedBytes / totalBytes) * 1000) / 10 : 0,
      },
      process: {
        pid: host.pid,
        rssBytes: host.rssBytes(),
        uptimeSeconds: Math.round(host.processUptimeSeconds()),
        node: host.nodeVersion,
      },
      hostMonitor: this.state,
    };
  }

  async #publish(type: string, data: object): Promise<void> {
    const { publish, clock, counters, logger } = this.#options;
    const timestamp = clock.now() / 1000;
    const dataJson = JSON.stringify({ ...data, timestamp });
    this.#publishing += 1;
    try {
      const answer = await publish({ type, room: undefined, key: this.#host, dataJson, timestamp });
      if (answer instanceof Refusal) throw new Error(answer.message);
      this.#failing = false;
    } catch (error) {
      counters.add('host_monitor_failures');
      if (!this.#failing) logger.warn('a host monitor event was not published', { type, error });
      this.#failing = true;
    } finally {
      this.#publishing -= 1;
    }
  }
}

/** A host's name as an event's key and as `data.host`: 1–256 printable characters, others replaced by `-`. */
export function hostKey(name: string): string {
  return (
    Array.from(name.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '-'))
      .slice(0, 128)
      .join('') || 'host'
  );
}

function isInterval(value: unknown): value is number {
  return (
    typeof value === 'number' &&
    Number.isInteger(value) &&
    value >= MIN_INTERVAL_MS &&
    value <= MAX_INTERVAL_MS
  );
}
