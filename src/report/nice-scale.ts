/** Round values for an axis from 0 to at least `largest`, about `steps` apart; 0 and 1 where there is nothing to show. */
export function niceScale(largest: number, steps: number): number[] {
  if (largest <= 0) return [0, 1];
  const rough = largest / steps;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5].find((one) => one * power >= rough) ?? 10) * power;
  const count = Math.ceil(largest / step);
  // Multiplied, not added up: sums of fractions are not round.
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}
