import type { DrillOptions } from '../../src/drill/drill-options.js';
import type { DrillResult, KindResult, StepResult } from '../../src/drill/drill-result.js';

/** Options of a drill, of which `changes` are of interest. */
export function drillOptions(changes: Partial<DrillOptions> = {}): DrillOptions {
  return {
    clients: 10,
    legacy: 5,
    rate: 100,
    hold: 1,
    patience: 10,
    drainMs: 500,
    processes: 2,
    redisServer: 'redis-server',
    redisUrl: undefined,
    nginx: undefined,
    maxInterruptionMs: 1500,
    maxRefused: 0,
    ...changes,
  };
}

/** Clients in a step in which nothing went wrong, `changes` aside. */
export function kindResult(changes: Partial<KindResult> = {}): KindResult {
  return {
    lost: 0,
    doubled: 0,
    outOfOrder: 0,
    missed: 0,
    clients: 0,
    examples: [],
    interruptions: { count: 10, p50: 40, p95: 120, max: 1800 },
    away: { count: 10, p50: 20, p95: 60, max: 900 },
    overdue: 0,
    refused: {},
    off: 0,
    gaps: 0,
    ...changes,
  };
}

/** A flip in which nothing went wrong, `changes` aside. */
export function stepResult(changes: Partial<StepResult> = {}): StepResult {
  return {
    name: 'HYBRID → SSE',
    kind: 'flip',
    from: 0,
    to: 10,
    actedIn: 2,
    backIn: 3,
    trouble: null,
    servesLegacy: true,
    published: 1000,
    unknown: 0,
    sdk: kindResult(),
    legacy: kindResult(),
    cores: { gateways: 0.4, redis: 0.1 },
    loadLagMs: 12,
    ...changes,
  };
}

/** A drill of these steps that passed, `changes` aside. */
export function drillResult(steps: readonly StepResult[], changes: Partial<DrillResult> = {}): DrillResult {
  return {
    passed: true,
    failures: [],
    targets: [],
    startedAt: '2026-11-22T05:00:00.000Z',
    seconds: steps.at(-1)?.to ?? 0,
    options: drillOptions(),
    surroundings: {
      flipgate: '0.1.0',
      node: 'v20.0.0',
      redis: '7.0.0',
      system: 'Linux',
      cpu: 'a cpu',
      cores: 2,
    },
    steps,
    timeline: { points: [], interruptions: [], marks: [] },
    ...changes,
  };
}
