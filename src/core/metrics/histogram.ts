/** Values below this have a bucket each; beyond, as many buckets halve into each doubling. */
const EXACT = 64;
const PER_DOUBLING = EXACT / 2;
const EXACT_BITS = 6;
/** Values of this many bits and more count as the greatest that is told apart. */
const MAX_BITS = 20;
const BUCKETS = EXACT + (MAX_BITS - EXACT_BITS) * PER_DOUBLING;

/** The greatest value that a {@link Histogram} tells apart: 2^20 − 1, in ms about 17 minutes. */
export const MAX_VALUE = 2 ** MAX_BITS - 1;

/**
 * How often which value came, in buckets: whole numbers below 64 exactly, greater ones within 1/32 (3.1 %), from
 * {@link MAX_VALUE} on all the same. Adding is constant time; it takes 4 KB. Counts only grow, so that the difference of
 * two moments is the histogram of what came between.
 */
export class Histogram {
  readonly #counts: Float64Array;
  #count = 0;
  #sum = 0;

  constructor(counts = new Float64Array(BUCKETS), count = 0, sum = 0) {
    this.#counts = counts;
    this.#count = count;
    this.#sum = sum;
  }

  /** How many values came. */
  get count(): number {
    return this.#count;
  }

  /** All values together. */
  get sum(): number {
    return this.#sum;
  }

  /** A value came, `times` times; fractions are cut off, what is below 0 counts as 0. */
  add(value: number, times = 1): void {
    const whole = value > 0 ? Math.min(Math.floor(value), MAX_VALUE) : 0;
    const bucket = bucketOf(whole);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + times;
    this.#count += times;
    this.#sum += whole * times;
  }

  /** The same at this moment. */
  copy(): Histogram {
    return new Histogram(this.#counts.slice(), this.#count, this.#sum);
  }

  /** What came since `earlier`, a copy of this one. */
  since(earlier: Histogram): Histogram {
    const counts = this.#counts.map((count, bucket) => count - (earlier.#counts[bucket] ?? 0));
    return new Histogram(counts, this.#count - earlier.#count, this.#sum - earlier.#sum);
  }

  /** The value that at least the part `q` (0–1) of all values do not exceed, rounded up to its bucket's; null when none came. */
  quantile(q: number): number | null {
    if (this.#count === 0) return null;
    const rank = Math.max(1, Math.ceil(q * this.#count));
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      seen += this.#counts[bucket] ?? 0;
      if (seen >= rank) return greatestIn(bucket);
    }
    return MAX_VALUE;
  }

  /** How many values do not exceed `bound`, rounded to the buckets: what a Prometheus histogram asks for. */
  countUpTo(bound: number): number {
    const last = bucketOf(Math.min(Math.max(0, Math.floor(bound)), MAX_VALUE));
    return this.#counts.subarray(0, last + 1).reduce((sum, count) => sum + count, 0);
  }
}

function bucketOf(whole: number): number {
  if (whole < EXACT) return whole;
  const doublings = 31 - Math.clz32(whole) - EXACT_BITS;
  return EXACT + doublings * PER_DOUBLING + (whole >> (doublings + 1)) - PER_DOUBLING;
}

function greatestIn(bucket: number): number {
  if (bucket < EXACT) return bucket;
  const doublings = Math.floor((bucket - EXACT) / PER_DOUBLING);
  const within = (bucket - EXACT) % PER_DOUBLING;
  return ((within + PER_DOUBLING + 1) << (doublings + 1)) - 1;
}
