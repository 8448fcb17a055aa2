/** How a measure is spread. */
export interface Distribution {
  readonly count: number;
  /** Percentiles by nearest rank, and the largest; null where nothing was measured. */
  readonly p50: number | null;
  readonly p95: number | null;
  readonly max: number | null;
}

/** The distribution of some measurements, in their own unit. */
export function distributionOf(values: readonly number[]): Distribution {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number | null => sorted[Math.ceil(share * sorted.length) - 1] ?? null;
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), max: sorted.at(-1) ?? null };
}
