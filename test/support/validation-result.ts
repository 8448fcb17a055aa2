import type { ValidateOptions } from '../../src/validate/validate-options.js';
import type {
  KindFigures,
  LoadFigures,
  ProfileResult,
  ValidationResult,
} from '../../src/validate/validation-result.js';

/** What is demanded by default. */
export const TARGETS = {
  p95Ms: 150,
  lagMs: 30,
  cpuSavingPercent: 30,
  backlogSeconds: 60,
  takenPercent: 95,
} as const;

/** Options of a validation, of which `changes` are of interest. */
export function validateOptions(changes: Partial<ValidateOptions> = {}): ValidateOptions {
  return {
    url: undefined,
    token: undefined,
    flip: false,
    profiles: ['SSE'],
    redis: undefined,
    clients: 10,
    shape: { rate: 100, append: 5, keys: 4, bytes: 10, rooms: 1 },
    seconds: 2,
    warmUp: 1,
    processes: 2,
    targets: TARGETS,
    allowUnmeasured: false,
    ...changes,
  };
}

/** Clients of one kind that got everything in time, `changes` aside. */
export function kindFigures(changes: Partial<KindFigures> = {}): KindFigures {
  return {
    kind: 'sse',
    clients: 10,
    arrivals: 100,
    uncounted: 0,
    p50: 20,
    p95: 80,
    p99: 90,
    max: 95,
    distribution: [
      [20, 60],
      [80, 39],
      [95, 1],
    ],
    overTime: [
      { at: 0, arrivals: 50, p50: 20, p95: 70 },
      { at: 0.25, arrivals: 50, p50: 21, p95: 80 },
    ],
    lacking: 0,
    missing: 0,
    ...changes,
  };
}

/** A server that took a load well, `changes` aside. */
export function loadFigures(changes: Partial<LoadFigures> = {}): LoadFigures {
  return {
    seconds: 2,
    events: 210,
    taken: 105,
    cpuSeconds: 0.2,
    cpuNote: '',
    cpuPerSecond: 0.1,
    kinds: [kindFigures()],
    points: [
      { at: 0, lagMs: 4, backlogSeconds: 0 },
      { at: 1, lagMs: 6, backlogSeconds: 0.2 },
    ],
    statusNote: '',
    refused: {},
    loadLagMs: 12,
    ...changes,
  };
}

/** A validation of these profiles that passed, `changes` aside. */
export function validationResult(
  profiles: readonly ProfileResult[],
  changes: Partial<ValidationResult> = {},
): ValidationResult {
  return {
    passed: true,
    failures: [],
    startedAt: '2026-11-22T05:00:00.000Z',
    seconds: 20,
    options: validateOptions(),
    machine: { flipgate: '0.1.0', node: 'v20.0.0', system: 'Linux', cpu: 'a cpu', cores: 2 },
    subject: 'gateways of its own, without Redis',
    method: ['With a clock.'],
    profiles,
    ...changes,
  };
}
