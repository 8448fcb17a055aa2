import type { ClientKind } from './client-kind.js';
import type { KindArrivals } from './load/load-crowd.js';
import type { Progress } from './load/messages.js';
import type { StatusReading } from './subject/status-reading.js';
import { isUnmeasured, type Unmeasured } from './subject/subject.js';
import type { KindFigures, LoadFigures, ServerPoint } from './validation-result.js';

/** CPU of a load of so many seconds, from what a server had used before and after. */
export function cpuFigures(
  before: number | Unmeasured,
  after: number | Unmeasured,
  loadSeconds: number,
): Pick<LoadFigures, 'cpuSeconds' | 'cpuNote' | 'cpuPerSecond'> {
  const unmeasured = [before, after].find((one): one is Unmeasured => isUnmeasured(one));
  if (unmeasured !== undefined || isUnmeasured(before) || isUnmeasured(after)) {
    return { cpuSeconds: null, cpuNote: unmeasured?.why ?? '', cpuPerSecond: null };
  }
  const used = after - before;
  return { cpuSeconds: used, cpuNote: '', cpuPerSecond: used / loadSeconds };
}

/** What clients of one kind were given; `slotMs` is how long a slot of their arrivals is. */
export function kindFigures(
  kind: ClientKind,
  progress: Progress,
  arrived: KindArrivals,
  slotMs: number,
): KindFigures {
  const { latency, slots, uncounted } = arrived;
  return {
    kind,
    clients: progress.clients,
    arrivals: latency.count + uncounted,
    uncounted,
    p50: latency.quantile(0.5),
    p95: latency.quantile(0.95),
    p99: latency.quantile(0.99),
    max: latency.quantile(1),
    distribution: latency.entries(),
    overTime: [...slots]
      .sort(([one], [other]) => one - other)
      .map(([slot, tally]) => ({
        at: (slot * slotMs) / 1000,
        arrivals: tally.count,
        p50: tally.quantile(0.5),
        p95: tally.quantile(0.95),
      })),
    lacking: progress.behind,
    missing: progress.missing,
  };
}

/** Readings by the seconds since `since`, epoch ms. */
export function serverPoints(readings: readonly StatusReading[], since: number): ServerPoint[] {
  return readings.map(({ at, lagMs, backlogSeconds }) => ({
    at: Math.max(0, (at - since) / 1000),
    lagMs,
    backlogSeconds,
  }));
}

/** Whose figures readings are, where there are several nodes; empty for one alone. */
export function nodesNote(readings: readonly StatusReading[]): string {
  const answered = new Set(readings.map(({ node }) => node));
  const nodes = Math.max(0, ...readings.map((reading) => reading.nodes));
  if (answered.size > 1) return `the largest of ${String(answered.size)} nodes that answered in turn`;
  return nodes > 1 ? `of the node that answered, one of ${String(nodes)}` : '';
}
