import { textColumns } from '../../report/text-columns.js';
import { KIND_NAMES } from '../client-kind.js';
import { figureText, targetText } from '../levels.js';
import type { ProfileResult, ValidationResult } from '../validation-result.js';

/** From this lag of the clients' own processes on, ms, latencies are worth less. */
const TELLING_LAG_MS = 100;

/** The levels of a validation as a table of plain text, and what else there is to say. */
export function levelTable(result: ValidationResult): string {
  const { profiles, passed, failures } = result;
  const rows = profiles.flatMap(({ levels, trouble }) =>
    levels.map((level) => [
      level.profile,
      level.what,
      level.status,
      figureText(level),
      targetText(level),
      // A trouble is told once, below.
      level.note === '' || trouble !== null ? '' : ` ${level.note}`,
    ]),
  );
  const head = ['profile', 'level', '', 'figure', 'target'];
  const table = textColumns([head, ...rows.map((row) => row.slice(0, 5))], 3)
    .split('\n')
    .map((line, index) => `${line}${rows[index - 1]?.[5] ?? ''}`);
  return [
    ...table,
    ...busyLines(profiles),
    '',
    passed ? 'PASSED' : ['FAILED', ...failures.map((failure) => `  ${failure}`)].join('\n'),
  ].join('\n');
}

/** Says so where the machine was too busy to measure on. */
export function busyLines(profiles: readonly ProfileResult[]): string[] {
  return profiles.flatMap(({ profile, gateway }) => {
    const lag = gateway?.loadLagMs ?? 0;
    if (lag < TELLING_LAG_MS) return [];
    return [
      `${profile}: the processes of the clients themselves had to wait for up to ${lag.toFixed(0)} ms: the machine was busy, and latencies are shorter than measured.`,
    ];
  });
}

/** Connections that broke or were refused, a line for each server that had any. */
export function refusalLines(profiles: readonly ProfileResult[]): string[] {
  return profiles.flatMap(({ profile, gateway, baseline }) =>
    [
      { who: profile, refused: gateway?.refused ?? {} },
      { who: `${profile}, one emit per event`, refused: baseline?.refused ?? {} },
    ].flatMap(({ who, refused }) => {
      const reasons = Object.entries(refused).map(([reason, times]) => `${String(times)} ${reason}`);
      return reasons.length === 0
        ? []
        : [`${who}: connections that ended or were refused: ${reasons.join(', ')}`];
    }),
  );
}

/** Who took part under a profile, such as `100 legacy clients, 100 bundle clients`. */
export function crowdLine({ gateway }: ProfileResult): string {
  return (gateway?.kinds ?? [])
    .map(({ kind, clients }) => `${String(clients)} ${KIND_NAMES[kind]}`)
    .join(', ');
}
