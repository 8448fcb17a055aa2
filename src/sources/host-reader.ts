import { cpus, freemem, hostname, loadavg, totalmem, uptime } from 'node:os';

/** What one CPU has done since the machine started, in ms. */
export interface CpuTimes {
  readonly busyMs: number;
  readonly idleMs: number;
}

/** Where the host monitor reads its numbers; given to it so that tests can bring a host of their own. */
export interface HostReader {
  hostname(): string;
  /** One entry per CPU the process sees; empty where the system does not tell. */
  cpus(): readonly CpuTimes[];
  /** Load averages over 1, 5 and 15 minutes; zeros on Windows, which has none. */
  loadAverages(): readonly number[];
  hostUptimeSeconds(): number;
  totalBytes(): number;
  /** What programs could still get, caches that can be given up included. */
  freeBytes(): number;
  readonly pid: number;
  readonly nodeVersion: string;
  rssBytes(): number;
  processUptimeSeconds(): number;
}

/** The host this process runs on. */
export const realHost: HostReader = {
  hostname,
  cpus: () =>
    cpus().map(({ times: { user, nice, sys, idle, irq } }) => ({
      busyMs: user + nice + sys + irq,
      idleMs: idle,
    })),
  loadAverages: loadavg,
  hostUptimeSeconds: uptime,
  totalBytes: totalmem,
  freeBytes: freemem,
  pid: process.pid,
  nodeVersion: process.version,
  rssBytes: () => process.memoryUsage.rss(),
  processUptimeSeconds: () => process.uptime(),
};
