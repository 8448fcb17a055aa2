import { Counter, Gauge, Histogram as PromHistogram, type Registry } from 'prom-client';
import { type Histogram, MAX_VALUE } from './histogram.js';

/** The name of a metric, what it means, and its labels. */
export interface MetricName {
  /** By the conventions of Prometheus: `flipgate_`, what it is, its base unit, and `_total` where it only grows. */
  readonly name: string;
  readonly help: string;
  /** Names of its labels. Default: none. */
  readonly labels?: readonly string[];
}

/** The same of a histogram in seconds. */
export interface BucketedName extends MetricName {
  /** Upper ends of its buckets, s, growing. */
  readonly bounds: readonly number[];
}

/** A value and its labels. */
export type Told = readonly [value: number, labels?: Readonly<Record<string, string>>];

/** A histogram of ms and its labels. */
export type ToldHistogram = readonly [histogram: Histogram, labels?: Readonly<Record<string, string>>];

/**
 * Metrics that keep nothing themselves: what they tell is read when somebody scrapes, from where it is counted anyway.
 */
export class ToldMetrics {
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** What only grows. */
  counter({ name, help, labels = [] }: MetricName, read: () => readonly Told[]): void {
    const counter = new Counter<string>({
      name,
      help,
      labelNames: labels,
      registers: [this.#registry],
      collect: () => {
        counter.reset();
        for (const [value, its = {}] of read()) counter.inc(its, value);
      },
    });
  }

  /** What goes up and down. Nothing is told of what `read` leaves out. */
  gauge({ name, help, labels = [] }: MetricName, read: () => readonly Told[]): void {
    const gauge = new Gauge<string>({
      name,
      help,
      labelNames: labels,
      registers: [this.#registry],
      collect: () => {
        gauge.reset();
        // Without labels a reset leaves a 0, which would be told where nothing is known.
        if (labels.length === 0) gauge.remove();
        for (const [value, its = {}] of read()) gauge.set(its, value);
      },
    });
  }

  /** One of a few words: 1 for the one that is now, 0 for the others. Null: none of them. */
  state(named: MetricName & { readonly words: readonly string[] }, read: () => string | null): void {
    const { name, help, words, labels = [] } = named;
    const [label = 'state'] = labels;
    this.gauge({ name, help, labels: [label] }, () => {
      const now = read();
      return words.map((word) => [word === now ? 1 : 0, { [label]: word }]);
    });
  }

  /** A histogram in seconds of values in ms. */
  histogram(named: BucketedName, read: () => readonly ToldHistogram[]): void {
    this.#registry.registerMetric(new ReadHistogram(named, read));
  }
}

/** A sample as prom-client has it. */
interface Sample {
  readonly metricName: string;
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly sharedLabels: Readonly<Record<string, string>>;
}

/** A histogram of prom-client whose counts are those of a {@link Histogram}. */
class ReadHistogram extends PromHistogram {
  readonly #named: BucketedName;
  readonly #read: () => readonly ToldHistogram[];

  constructor(named: BucketedName, read: () => readonly ToldHistogram[]) {
    const { name, help, labels = [], bounds } = named;
    super({ name, help, labelNames: [...labels], buckets: [...bounds], registers: [] });
    this.#named = named;
    this.#read = read;
  }

  /** What prom-client asks its own histograms for. Source: its lib/histogram.js. */
  getForPromString(): Promise<object> {
    const { name, help } = this.#named;
    const values = this.#read().flatMap((one) => this.#samplesOf(one));
    return Promise.resolve({ name, help, type: 'histogram', aggregator: 'sum', values });
  }

  #samplesOf([histogram, sharedLabels = {}]: ToldHistogram): Sample[] {
    const { name, bounds } = this.#named;
    const bucket = (le: number | string, value: number): Sample => {
      return { metricName: `${name}_bucket`, value, labels: { le }, sharedLabels };
    };
    return [
      ...bounds.map((bound) => bucket(bound, histogram.countUpTo(Math.min(bound * 1000, MAX_VALUE)))),
      bucket('+Inf', histogram.count),
      { metricName: `${name}_sum`, value: histogram.sum / 1000, labels: {}, sharedLabels },
      { metricName: `${name}_count`, value: histogram.count, labels: {}, sharedLabels },
    ];
  }
}
