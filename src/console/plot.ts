import uPlot from 'uplot';
import { HISTORY_SECONDS, type PlotData } from './sample-history.js';

/** What a plot shows. */
export interface PlotOptions {
  /** How many series. */
  readonly series: number;
  /** True for bytes: the axis has powers of two. */
  readonly isBinary: boolean;
  /** A value at the left axis. */
  readonly format: (value: number) => string;
  /** Hears the index of the sample under the pointer, of this plot or another; null when there is none. */
  readonly pointed: (index: number | null) => void;
}

/** Left axis and time axis, CSS pixels. */
const AXIS = { left: 44, bottom: 20 };
const FONT = '10px system-ui, sans-serif';
/** How much time is shown, s, the least that holds all samples, and what its time axis says, s ago. */
const SPANS = [
  { span: 60, ticks: [40, 20], unit: 's', divisor: 1 },
  { span: 120, ticks: [80, 40], unit: 's', divisor: 1 },
  { span: HISTORY_SECONDS, ticks: [240, 120], unit: 'min', divisor: 60 },
] as const;
/** A time axis narrower than this has room for one label only, CSS pixels. */
const NARROW = 180;
/** All plots of the page point at the same moment. */
const SYNC = uPlot.sync('figures');

/** Lines over the last five minutes, in the colours of the page. Decoration: the numbers beside it are what is read out. */
export class Plot {
  readonly #host: HTMLElement;
  readonly #plot: uPlot;
  #now = 0;
  #scale: (typeof SPANS)[number] = SPANS[0];

  /** Draws into `host`, whose size it follows. */
  constructor(host: HTMLElement, options: PlotOptions) {
    this.#host = host;
    host.setAttribute('aria-hidden', 'true');
    this.#plot = new uPlot(this.#optionsOf(options), [[]], host);
    new ResizeObserver(() => {
      this.#plot.setSize(sizeOf(host));
    }).observe(host);
    for (const query of ['(prefers-color-scheme: dark)', '(forced-colors: active)']) {
      matchMedia(query).addEventListener('change', () => {
        this.#plot.redraw(false);
      });
    }
  }

  /** Shows the samples up to `now`, epoch seconds. */
  draw(data: PlotData, now: number): void {
    this.#now = now;
    const age = now - (data[0][0] ?? now);
    this.#scale = SPANS.find(({ span }) => age <= span) ?? SPANS[2];
    this.#plot.setData(data);
  }

  #describeAge(seconds: number): string {
    const { divisor, unit } = this.#scale;
    return `−${String(Math.round(seconds / divisor))} ${unit}`;
  }

  #optionsOf({ series, isBinary, format, pointed }: PlotOptions): uPlot.Options {
    const colour = (name: string) => (): string => getComputedStyle(this.#host).getPropertyValue(name);
    const axis = { stroke: colour('--muted'), font: FONT, ticks: { show: false } };
    const grid = { stroke: colour('--line'), width: 1 };
    return {
      ...sizeOf(this.#host),
      legend: { show: false },
      padding: [6, 6, 0, 0],
      cursor: {
        y: false,
        drag: { x: false, y: false },
        points: { size: 5 },
        sync: { key: SYNC.key },
      },
      scales: {
        x: { range: () => [this.#now - this.#scale.span, this.#now] },
        y: {
          range: (_plot, _least, greatest) => [0, isBinary ? roundUpBinary(greatest) : roundUp(greatest)],
        },
      },
      axes: [
        {
          ...axis,
          grid: { show: false },
          size: AXIS.bottom,
          gap: 2,
          splits: (plot) =>
            this.#scale.ticks.slice(plot.width < NARROW ? 1 : 0).map((ago) => this.#now - ago),
          values: (_plot, splits) => splits.map((at) => this.#describeAge(this.#now - at)),
        },
        {
          ...axis,
          grid,
          size: AXIS.left,
          gap: 4,
          splits: (_plot, _index, _least, greatest) => [0, greatest / 2, greatest],
          values: (_plot, splits) => splits.map(format),
        },
      ],
      series: [
        {},
        ...Array.from({ length: series }, (_, index) => ({
          stroke: colour(`--series-${String(index + 1)}`),
          width: 1.5,
          points: { show: false },
          ...(series === 1 ? { fill: colour('--accent-soft') } : {}),
        })),
      ],
      hooks: {
        setCursor: [
          (plot) => {
            pointed(plot.cursor.idx ?? null);
          },
        ],
      },
    };
  }
}

function sizeOf(host: HTMLElement): { width: number; height: number } {
  return { width: Math.max(1, host.clientWidth), height: Math.max(1, host.clientHeight) };
}

/** 1, 2, 4, 5 or 8 times a power of ten, at least 1: halves of it are short numbers, too. */
function roundUp(value: number | null): number {
  if (value === null || !(value > 1)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 2, 4, 5, 8, 10].find((one) => one * power >= value) ?? 10;
  return factor * power;
}

/** 1, 2, 4, … 512 times a power of 1024, at least 1024. */
function roundUpBinary(value: number | null): number {
  return value === null || !(value > 1024) ? 1024 : 2 ** Math.ceil(Math.log2(value));
}
