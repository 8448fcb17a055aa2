import type { DrillOptions } from './drill-options.js';
import type { DrillTarget, KindResult, StepResult } from './drill-result.js';

/** Whether a drill passed, and why not. */
export interface Verdict {
  readonly passed: boolean;
  readonly failures: readonly string[];
  readonly targets: readonly DrillTarget[];
}

/**
 * Judges a drill: fails for any step that could not be done, for anything lost, doubled, out of order or announced as a
 * gap, for anybody who did not come back, and for targets that are missed. `planned`: how many steps there should be.
 */
export function verdictOf(steps: readonly StepResult[], planned: number, options: DrillOptions): Verdict {
  const failures = steps.flatMap(failuresOf);
  if (steps.length < planned) failures.push(`${String(planned - steps.length)} steps were not reached`);
  const targets = targetsOf(steps, options);
  for (const target of targets) {
    if (!target.passed) {
      failures.push(
        `${target.what}: ${said(target.value)} ${target.unit}, more than ${String(target.limit)}`,
      );
    }
  }
  return { passed: failures.length === 0, failures, targets };
}

function failuresOf(step: StepResult): string[] {
  const { name, trouble, sdk, legacy, published, servesLegacy } = step;
  const failures: string[] = [];
  if (trouble !== null) failures.push(`${name}: ${trouble}`);
  // A drill in which nothing flowed would pass everything.
  if (published === 0) failures.push(`${name}: nothing was published`);
  failures.push(...faultsOf(name, 'SDK clients', sdk), ...faultsOf(name, 'legacy clients', legacy));
  if (sdk.overdue > 0)
    failures.push(`${name}: ${String(sdk.overdue)} SDK clients were not back with everything in time`);
  if (legacy.overdue > 0 && servesLegacy) {
    failures.push(
      `${name}: ${String(legacy.overdue)} legacy clients were not back with the newest values in time`,
    );
  }
  return failures;
}

function faultsOf(
  step: string,
  who: string,
  { lost, doubled, outOfOrder, gaps, clients, examples }: KindResult,
): string[] {
  const faults = { lost, doubled, 'out of order': outOfOrder, gaps };
  const found = Object.entries(faults).filter(([, count]) => count > 0);
  if (found.length === 0) return [];
  const counts = found.map(([what, count]) => `${String(count)} ${what}`).join(', ');
  const such = examples.length === 0 ? '' : ` (${examples.join('; ')})`;
  return [`${step}: ${counts} at ${String(clients)} ${who}${such}`];
}

function targetsOf(
  steps: readonly StepResult[],
  { maxInterruptionMs, maxRefused }: DrillOptions,
): DrillTarget[] {
  return steps
    .filter(({ kind }) => kind === 'flip')
    .flatMap(({ name, sdk, legacy }) => {
      const refused = [sdk, legacy]
        .flatMap((one) => Object.values(one.refused))
        .reduce((sum, one) => sum + one, 0);
      const p95 = sdk.interruptions.p95;
      return [
        {
          what: `${name}: p95 interruption of SDK clients`,
          value: p95 === null ? null : Math.round(p95),
          limit: maxInterruptionMs,
          unit: 'ms',
          passed: (p95 ?? 0) <= maxInterruptionMs,
        },
        {
          what: `${name}: refused connections`,
          value: refused,
          limit: maxRefused,
          unit: 'attempts',
          passed: refused <= maxRefused,
        },
      ];
    });
}

function said(value: number | null): string {
  return value === null ? 'none' : String(value);
}
