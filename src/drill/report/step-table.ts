import { textColumns } from '../../report/text-columns.js';
import type { DrillResult, StepResult } from '../drill-result.js';
import { FIGURES, figuresOf, milliseconds } from './step-figures.js';

/** The steps of a drill as a table of plain text, one row for each kind of client, and what was demanded. */
export function stepTable(result: DrillResult): string {
  const rows = result.steps.flatMap((step) => [rowOf(step, 'SDK'), rowOf(step, 'legacy')]);
  const targets = result.targets.map(
    ({ what, value, limit, unit, passed }) =>
      `${passed ? 'PASS' : 'FAIL'}  ${what}: ${value === null ? 'none' : String(value)} (at most ${String(limit)} ${unit})`,
  );
  const failures = result.failures.map((failure) => `  ${failure}`);
  return [
    textColumns([HEAD, ...rows], 2),
    publishedLine(result.steps),
    ...refusalLines(result.steps),
    ...lagLines(result.steps),
    '',
    ...targets,
    '',
    result.passed ? 'PASSED' : ['FAILED', ...failures].join('\n'),
  ].join('\n');
}

/** How much was published, and how much of it nobody was told was stored. */
export function publishedLine(steps: readonly StepResult[]): string {
  const published = steps.reduce((sum, step) => sum + step.published, 0);
  const unknown = steps.reduce((sum, step) => sum + step.unknown, 0);
  const rest = `${String(unknown)} of them not acknowledged, since a gateway ended while it was asked`;
  return `${String(published)} append events published${unknown === 0 ? ', all acknowledged' : `, ${rest}`}`;
}

/** Says so where the machine was too busy to measure on, be it that nothing of this is flipgate's doing. */
export function lagLines(steps: readonly StepResult[]): string[] {
  const lag = Math.max(0, ...steps.map(({ loadLagMs }) => loadLagMs));
  if (lag < TELLING_LAG_MS) return [];
  return [
    `The processes of the clients themselves had to wait for up to ${milliseconds(lag)}: the machine was busy, and interruptions are shorter than measured.`,
  ];
}

/** Why attempts to connect came to nothing, a line for each step and kind of client that had any. */
export function refusalLines(steps: readonly StepResult[]): string[] {
  return steps.flatMap(({ name, sdk, legacy }) =>
    [
      { who: 'SDK clients', refused: sdk.refused },
      { who: 'legacy clients', refused: legacy.refused },
    ].flatMap(({ who, refused }) => {
      const reasons = Object.entries(refused).map(([reason, count]) => `${String(count)} ${reason}`);
      return reasons.length === 0 ? [] : [`${name}, refused to ${who}: ${reasons.join(', ')}`];
    }),
  );
}

/** From this lag of the clients' own processes on, ms, figures are worth less. */
const TELLING_LAG_MS = 300;

const HEAD = ['step', 'clients', ...FIGURES];

function rowOf(step: StepResult, who: 'SDK' | 'legacy'): readonly string[] {
  const isSdk = who === 'SDK';
  const clients = isSdk || step.servesLegacy ? who : `${who} (not served)`;
  return [isSdk ? step.name : '', clients, ...figuresOf(step, who)];
}
