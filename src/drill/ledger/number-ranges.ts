/** Numbers ≥ 0, kept as ranges: few, where few pieces are missing. */
export class NumberRanges {
  /** `[from, to)`, ascending, without overlap. */
  #ranges: [from: number, to: number][] = [];

  /** Adds `from` to `to` (exclusive), which must lie beyond all that was added before. */
  append(from: number, to: number): void {
    if (from < to) this.#ranges.push([from, to]);
  }

  /** Takes `number` out; false where it is not in. */
  remove(number: number): boolean {
    const index = this.#ranges.findIndex(([from, to]) => from <= number && number < to);
    const range = this.#ranges[index];
    if (range === undefined) return false;
    const [from, to] = range;
    const left: [number, number][] = [
      [from, number],
      [number + 1, to],
    ];
    this.#ranges.splice(index, 1, ...left.filter(([start, end]) => start < end));
    return true;
  }

  /** The numbers from `from` to `to` (exclusive), ascending. */
  within(from: number, to: number): number[] {
    const numbers: number[] = [];
    for (const [start, end] of this.#ranges) {
      for (let number = Math.max(start, from); number < Math.min(end, to); number += 1) numbers.push(number);
    }
    return numbers;
  }
}
