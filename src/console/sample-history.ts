/** How far back samples are kept, s. */
export const HISTORY_SECONDS = 300;
/** A longer pause between two samples is a hole, s: the page was hidden, or the gateway away. */
const HOLE_SECONDS = 4;

/** Values at points in time, as a plot takes them: epoch seconds, then one list for each series; null draws nothing. */
export type PlotData = [number[], ...(number | null)[][]];

/** Samples of a few series over the last five minutes. */
export class SampleHistory {
  readonly #times: number[] = [];
  readonly #series: (number | null)[][];

  /** `series`: how many values a sample has. */
  constructor(series: number) {
    this.#series = Array.from({ length: series }, () => []);
  }

  /** All samples, oldest first. The lists are the history's own: they change with the next sample. */
  get data(): PlotData {
    return [this.#times, ...this.#series];
  }

  /** Adds a sample at `at`, epoch seconds; one that is not later than the last is left out. */
  add(at: number, values: readonly (number | undefined)[]): void {
    const last = this.#times.at(-1);
    if (last !== undefined && at <= last) return;
    if (last !== undefined && at - last > HOLE_SECONDS) this.#push((last + at) / 2, []);
    this.#push(at, values);
    const old = this.#times.findIndex((time) => time >= at - HISTORY_SECONDS);
    for (const list of [this.#times, ...this.#series]) list.splice(0, old);
  }

  #push(at: number, values: readonly (number | undefined)[]): void {
    this.#times.push(at);
    for (const [index, list] of this.#series.entries()) list.push(values[index] ?? null);
  }
}
