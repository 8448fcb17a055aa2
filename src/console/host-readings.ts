import type { GatewayEvent } from '../client/index.js';
import { Fields } from './fields.js';

/** The latest known of one host; what was never heard is undefined or empty. */
export interface HostReading {
  readonly host: string;
  /** 0–100. */
  readonly cpuPercent: number | undefined;
  /** 0–100 each. */
  readonly perCpuPercent: readonly number[];
  /** Load averages over 1, 5 and 15 minutes. */
  readonly load: readonly number[];
  readonly memoryUsedBytes: number | undefined;
  readonly memoryTotalBytes: number | undefined;
  /** 0–100. */
  readonly memoryPercent: number | undefined;
  readonly uptimeSeconds: number | undefined;
  /** Memory and runtime of the process that measures. */
  readonly processRssBytes: number | undefined;
  readonly node: string | undefined;
  /** Epoch seconds of the last measurement, by the host's clock. */
  readonly measuredAt: number | undefined;
  /** Older readings, oldest first, at most {@link HISTORY}. */
  readonly cpuHistory: readonly number[];
  readonly loadHistory: readonly number[];
}

/** Readings kept for the lines: two minutes at one a second. */
export const HISTORY = 120;
/** Hosts remembered; the one heard longest ago is forgotten first. */
const MAX_HOSTS = 50;

/** What the host monitors say, by host. Events of other shapes under the same types are passed over. */
export class HostReadings {
  readonly #readings = new Map<string, HostReading>();

  /** Takes an event; true when it told something about a host. */
  take(event: GatewayEvent): boolean {
    const data = new Fields(event.data);
    const host = data.text('host') ?? event.key;
    if (host === undefined) return false;
    const before = this.#readings.get(host) ?? emptyReading(host);
    const after = this.#read(event, data, before);
    if (after === undefined) return false;
    this.#readings.delete(host);
    this.#readings.set(host, after);
    const [oldest] = this.#readings.keys();
    if (this.#readings.size > MAX_HOSTS && oldest !== undefined) this.#readings.delete(oldest);
    return true;
  }

  /** Hosts by name. */
  get hosts(): string[] {
    return [...this.#readings.keys()].sort();
  }

  /** What is known of `host`. */
  of(host: string): HostReading | undefined {
    return this.#readings.get(host);
  }

  #read(event: GatewayEvent, data: Fields, before: HostReading): HostReading | undefined {
    const measuredAt = event.timestamp;
    if (event.type === 'system_load_update') {
      const cpuPercent = data.number('cpuPercent');
      const load = data.numbers('load');
      const [load1] = load;
      if (cpuPercent === undefined && load1 === undefined) return undefined;
      return {
        ...before,
        cpuPercent,
        load,
        measuredAt,
        perCpuPercent: data.numbers('perCpuPercent'),
        cpuHistory: extend(before.cpuHistory, cpuPercent),
        loadHistory: extend(before.loadHistory, load1),
      };
    }
    if (event.type !== 'system_status_update') return undefined;
    const memory = data.fields('memory');
    const process = data.fields('process');
    if (memory.number('usedBytes') === undefined && memory.number('usedPercent') === undefined)
      return undefined;
    return {
      ...before,
      measuredAt,
      memoryUsedBytes: memory.number('usedBytes'),
      memoryTotalBytes: memory.number('totalBytes'),
      memoryPercent: memory.number('usedPercent'),
      uptimeSeconds: data.number('uptimeSeconds'),
      processRssBytes: process.number('rssBytes'),
      node: process.text('node'),
    };
  }
}

function emptyReading(host: string): HostReading {
  return {
    host,
    cpuPercent: undefined,
    perCpuPercent: [],
    load: [],
    memoryUsedBytes: undefined,
    memoryTotalBytes: undefined,
    memoryPercent: undefined,
    uptimeSeconds: undefined,
    processRssBytes: undefined,
    node: undefined,
    measuredAt: undefined,
    cpuHistory: [],
    loadHistory: [],
  };
}

function extend(history: readonly number[], value: number | undefined): readonly number[] {
  return value === undefined ? history : [...history, value].slice(-HISTORY);
}
