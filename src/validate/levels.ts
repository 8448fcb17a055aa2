import type { ProfileName } from '../core/config/profile.js';
import { KIND_NAMES } from './client-kind.js';
import type { Targets } from './validate-options.js';
import type { Level, LoadFigures, ServerPoint } from './validation-result.js';

/** A reading of the loop's lag is over the 5 to 10 s before it: from here on, s, it is one of the load. */
const LAG_WINDOW_SECONDS = 5;

/** What was measured under one profile; null for what was not, and then `why`. */
export interface Measured {
  readonly profile: ProfileName;
  readonly gateway: LoadFigures | null;
  readonly baseline: LoadFigures | null;
  readonly why: string;
  /** Events a second that were to be published. */
  readonly rate: number;
}

/** The service levels under one profile: figures beside targets. */
export function levelsOf({ profile, gateway, baseline, why, rate }: Measured, targets: Targets): Level[] {
  const of = (spec: Omit<LevelSpec, 'profile'>): Level => levelOf({ profile, ...spec });
  const lag = lagUnder(gateway?.points ?? []);
  const backlog = largest(gateway?.points.map(({ backlogSeconds }) => backlogSeconds));
  const unread = gateway === null ? why : gateway.statusNote;
  return [
    ...latencyLevels(gateway, targets.p95Ms, why).map(of),
    of({
      what: 'event-loop lag, p99',
      figure: lag,
      unit: 'ms',
      target: targets.lagMs,
      must: 'below',
      note: unread,
    }),
    of({ ...cpuFigure(gateway, baseline, why), target: targets.cpuSavingPercent }),
    of({
      what: 'backlog, oldest event awaited',
      figure: backlog,
      unit: 's',
      target: targets.backlogSeconds,
      must: 'below',
      note: unread,
    }),
    of({
      what: 'clients that lack something',
      figure: gateway === null ? null : total(gateway, ({ lacking }) => lacking),
      unit: '',
      target: 0,
      must: 'at most',
      note: gateway === null ? why : missingNote(gateway),
    }),
    of({
      what: 'load that was taken',
      figure: gateway === null ? null : Math.min(100, (gateway.taken / rate) * 100),
      unit: '%',
      target: targets.takenPercent,
      must: 'at least',
      note: gateway === null ? why : `${gateway.taken.toFixed(0)} events/s`,
    }),
  ];
}

/** The levels that fail a validation, for people. */
export function failedLevels(levels: readonly Level[], allowUnmeasured: boolean): string[] {
  return levels
    .filter(({ status }) => status === 'FAIL' || (status === 'NOT MEASURED' && !allowUnmeasured))
    .map((level) => {
      const { profile, what, note } = level;
      const beside = note === '' ? '' : ` (${note})`;
      return level.status === 'FAIL'
        ? `${profile}: ${what}: ${figureText(level)}, must be ${targetText(level)}${beside}`
        : `${profile}: ${what}: not measured${beside}`;
    });
}

/** A level's figure as people read it. */
export function figureText({ figure, unit }: Pick<Level, 'figure' | 'unit'>): string {
  return figure === null ? '–' : withUnit(Number(figure.toFixed(figure < 10 ? 1 : 0)), unit);
}

/** What a level demands, as people read it. */
export function targetText({ must, target, unit }: Pick<Level, 'must' | 'target' | 'unit'>): string {
  const sign = { below: '<', 'at least': '≥', 'at most': '≤' }[must];
  return `${sign} ${withUnit(target, unit)}`;
}

function withUnit(value: number, unit: string): string {
  return unit === '' ? String(value) : `${String(value)} ${unit}`;
}

type LevelSpec = Omit<Level, 'status'>;

function levelOf(spec: LevelSpec): Level {
  const { figure, target, must } = spec;
  if (figure === null) return { ...spec, status: 'NOT MEASURED' };
  const holds = { below: figure < target, 'at least': figure >= target, 'at most': figure <= target }[must];
  return { ...spec, status: holds ? 'PASS' : 'FAIL' };
}

function latencyLevels(
  gateway: LoadFigures | null,
  target: number,
  why: string,
): Omit<LevelSpec, 'profile'>[] {
  const rest = { unit: 'ms', target, must: 'below' } as const;
  if (gateway === null) return [{ what: 'p95 latency', figure: null, note: why, ...rest }];
  return gateway.kinds.map(({ kind, p95, uncounted }) => ({
    what: `p95 latency, ${KIND_NAMES[kind]}`,
    figure: p95,
    note:
      p95 === null ? 'nothing arrived' : uncounted > 0 ? 'the first arrivals alone: there were too many' : '',
    ...rest,
  }));
}

function cpuFigure(
  gateway: LoadFigures | null,
  baseline: LoadFigures | null,
  why: string,
): Pick<LevelSpec, 'what' | 'figure' | 'unit' | 'must' | 'note'> {
  const rest = { what: 'CPU below one emit per event', unit: '%', must: 'at least' } as const;
  const used = gateway?.cpuPerSecond ?? null;
  const others = baseline?.cpuPerSecond ?? null;
  if (gateway === null || baseline === null) return { ...rest, figure: null, note: why };
  if (used === null || others === null) {
    return { ...rest, figure: null, note: gateway.cpuNote || baseline.cpuNote };
  }
  if (others <= 0) return { ...rest, figure: null, note: 'the load is too small to tell' };
  const note = `${used.toFixed(3)} against ${others.toFixed(3)} CPU s per s of load`;
  return { ...rest, figure: (1 - used / others) * 100, note };
}

function missingNote(gateway: LoadFigures): string {
  const missing = total(gateway, (one) => one.missing);
  return missing === 0 ? '' : `${String(missing)} events and final values in all`;
}

function total({ kinds }: LoadFigures, value: (one: LoadFigures['kinds'][number]) => number): number {
  return kinds.reduce((sum, one) => sum + value(one), 0);
}

/** The largest lag of readings that are of the load; of a load that is shorter than they are, the last one. */
function lagUnder(points: readonly ServerPoint[]): number | null {
  const last = points.at(-1);
  const within = points.filter(({ at }) => at >= Math.min(LAG_WINDOW_SECONDS, last?.at ?? 0));
  return largest(within.map(({ lagMs }) => lagMs));
}

function largest(values: readonly (number | null)[] | undefined): number | null {
  const known = (values ?? []).filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}
