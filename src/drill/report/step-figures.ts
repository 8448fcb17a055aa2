import type { StepResult } from '../drill-result.js';

/** What is told of a step and a kind of client, in this order; the first {@link FAULTS} of them should be 0. */
export const FIGURES = [
  'lost',
  'doubled',
  'out of order',
  'gaps',
  'not back',
  'moved',
  'interruption p50',
  'p95',
  'max',
  'refused',
  'transport off',
  'missed while away',
] as const;

/** How many of the {@link FIGURES} count faults. */
export const FAULTS = 5;

/** The {@link FIGURES} of a step as people read them; `who` is the kind of client. */
export function figuresOf(step: StepResult, who: 'SDK' | 'legacy'): readonly string[] {
  const isSdk = who === 'SDK';
  const { interruptions, refused, ...kind } = isSdk ? step.sdk : step.legacy;
  const { count, p50, p95, max } = interruptions;
  return [
    ...[kind.lost, kind.doubled, kind.outOfOrder, kind.gaps, kind.overdue, count].map(String),
    ...[p50, p95, max].map(milliseconds),
    String(Object.values(refused).reduce((sum, one) => sum + one, 0)),
    String(kind.off),
    // Who has a cursor is given what it missed.
    isSdk ? '–' : String(kind.missed),
  ];
}

/** Milliseconds as people read them; a dash where nothing was measured. */
export function milliseconds(value: number | null): string {
  if (value === null) return '–';
  return value < 1000 ? `${String(Math.round(value))} ms` : `${(value / 1000).toFixed(2)} s`;
}
