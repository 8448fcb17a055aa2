import type { CpuTimes } from './host-reader.js';

/** How busy the CPUs were between two readings: percent, 0–100, one decimal. */
export interface CpuLoad {
  /** All CPUs together: 100 is a machine that did nothing but work. */
  readonly cpuPercent: number;
  readonly perCpuPercent: readonly number[];
}

/**
 * The load between two readings. A CPU that was not there in both, or whose counters did not move or went back
 * (a virtual machine that was moved), counts as idle.
 */
export function cpuLoad(before: readonly CpuTimes[], after: readonly CpuTimes[]): CpuLoad {
  const spans = after.map((now, index) => spanOf(before[index] ?? now, now));
  const sum = spans.reduce(
    (all, { busyMs, idleMs }) => ({ busyMs: all.busyMs + busyMs, idleMs: all.idleMs + idleMs }),
    { busyMs: 0, idleMs: 0 },
  );
  return { cpuPercent: percent(sum), perCpuPercent: spans.map(percent) };
}

function spanOf(before: CpuTimes, now: CpuTimes): CpuTimes {
  return {
    busyMs: Math.max(0, now.busyMs - before.busyMs),
    idleMs: Math.max(0, now.idleMs - before.idleMs),
  };
}

function percent({ busyMs, idleMs }: CpuTimes): number {
  const totalMs = busyMs + idleMs;
  return totalMs > 0 ? Math.round((busyMs / totalMs) * 1000) / 10 : 0;
}
