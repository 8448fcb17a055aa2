import type { Fields } from './fields.js';
import type { FigureSpec } from './figure-specs.js';
import { Plot } from './plot.js';
import { SampleHistory } from './sample-history.js';

/** A title, the values of now or of the moment that is pointed at, and their lines over the last five minutes. */
export class Figure {
  readonly #spec: FigureSpec;
  readonly #history: SampleHistory;
  readonly #plot: Plot;
  readonly #values: readonly HTMLElement[];
  readonly #note = document.createElement('span');
  #pointed: number | null = null;
  /** The newest counts, of series that are counts, and when they were heard. */
  #counts: { readonly at: number; readonly values: readonly (number | undefined)[] } | undefined;

  /** Adds itself to `host`. */
  constructor(host: HTMLElement, spec: FigureSpec) {
    this.#spec = spec;
    this.#history = new SampleHistory(spec.series.length);
    const box = document.createElement('div');
    box.className = 'figure-box';
    const title = document.createElement('h3');
    title.textContent = spec.title;
    this.#note.className = 'figure-note';
    title.append(this.#note);
    const legend = document.createElement('dl');
    legend.className = 'legend';
    this.#values = spec.series.map(({ name, testId }, index) => {
      const entry = document.createElement('div');
      entry.style.setProperty('--series', `var(--series-${String(index + 1)})`);
      const term = document.createElement('dt');
      term.textContent = name;
      const value = document.createElement('dd');
      value.id = testId;
      value.dataset['testid'] = testId;
      entry.append(term, value);
      legend.append(entry);
      return value;
    });
    const canvas = document.createElement('div');
    canvas.className = 'plot';
    box.append(title, legend, canvas);
    host.append(box);
    this.#plot = new Plot(canvas, {
      series: spec.series.length,
      isBinary: spec.isBinary === true,
      format: spec.formatTick ?? spec.format,
      pointed: (index) => {
        this.#pointed = index;
        this.#write();
      },
    });
    this.#write();
  }

  /** Adds what a status says, heard at `at`, epoch seconds. */
  take(status: Fields, at: number): void {
    const values = this.#spec.series.map(({ of }) => of(status));
    this.#history.add(
      at,
      this.#spec.series.map(({ isCount }, index) =>
        isCount === true ? this.#growth(index, values[index], at) : values[index],
      ),
    );
    this.#counts = { at, values };
    this.#note.textContent = this.#spec.note?.(status) ?? '';
    this.#plot.draw(this.#history.data, at);
    this.#write();
  }

  /** How much a count has grown in a second; unknown at first, and when it began anew with its gateway. */
  #growth(index: number, value: number | undefined, at: number): number | undefined {
    const before = this.#counts?.values[index];
    if (this.#counts === undefined || before === undefined || value === undefined || value < before)
      return undefined;
    return (value - before) / Math.max(0.1, at - this.#counts.at);
  }

  #write(): void {
    const [times, ...series] = this.#history.data;
    const index = this.#pointed ?? times.length - 1;
    for (const [number, value] of this.#values.entries()) {
      const text = this.#spec.format(series[number]?.[index] ?? undefined);
      if (value.textContent !== text) value.textContent = text;
    }
  }
}
