/** Arrivals of one piece of memory. */
const CHUNK = 65_536;
/** Arrivals kept at most, about 50 MB: those beyond it are only counted. */
const MOST = 4_000_000;

/** Which event arrived at a client when, as many as there are. */
export class Arrivals {
  readonly #numbers: Int32Array[] = [];
  readonly #times: Float64Array[] = [];
  #count = 0;
  #uncounted = 0;

  /** How many are kept. */
  get count(): number {
    return this.#count;
  }

  /** How many came when no more were kept. */
  get uncounted(): number {
    return this.#uncounted;
  }

  /** Event `n` arrived at `at`, epoch ms. */
  note(n: number, at: number): void {
    if (this.#count === MOST) {
      this.#uncounted += 1;
      return;
    }
    const place = this.#count % CHUNK;
    if (place === 0) {
      this.#numbers.push(new Int32Array(CHUNK));
      this.#times.push(new Float64Array(CHUNK));
    }
    const numbers = this.#numbers.at(-1);
    const times = this.#times.at(-1);
    if (numbers === undefined || times === undefined) return;
    numbers[place] = n;
    times[place] = at;
    this.#count += 1;
  }

  /** Calls `take` with each, in the order they came. */
  each(take: (n: number, at: number) => void): void {
    for (let index = 0; index < this.#count; index += 1) {
      const chunk = Math.floor(index / CHUNK);
      take(this.#numbers[chunk]?.[index % CHUNK] ?? 0, this.#times[chunk]?.[index % CHUNK] ?? 0);
    }
  }
}
