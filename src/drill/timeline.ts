import type { Timeline, TimelinePoint } from './drill-result.js';
import type { Incident, Interruption, Sample } from './load/messages.js';

/** Distance between two points of the timeline, ms. */
const STEP_MS = 250;

/** What all load processes said over time, and what the drill did. */
export class TimelineRecord {
  readonly #byProcess: Sample[][];
  readonly #marks: { readonly at: number; readonly label: string }[] = [];

  /** `processes`: how many send samples. */
  constructor(processes: number) {
    this.#byProcess = Array.from({ length: processes }, () => []);
  }

  /** Takes a sample of a process, numbered from 0. */
  take(process: number, sample: Sample): void {
    this.#byProcess[process]?.push(sample);
  }

  /** Something was done at `at`, epoch ms. */
  mark(at: number, label: string): void {
    this.#marks.push({ at, label });
  }

  /** Interruptions that began from `from` to before `to`, epoch ms. */
  interruptions(from: number, to: number): Interruption[] {
    return this.#all()
      .flatMap(({ interruptions }) => interruptions)
      .filter(({ at }) => from <= at && at < to);
  }

  /** What happened to clients from `from` to before `to`, epoch ms. */
  incidents(from: number, to: number): Incident[] {
    return this.#all()
      .flatMap(({ incidents }) => incidents)
      .filter(({ at }) => from <= at && at < to);
  }

  /** The longest lag of a load process from `from` to before `to`, epoch ms; in ms. */
  lagMs(from: number, to: number): number {
    const lags = this.#all().flatMap(({ at, lagMs }) => (from <= at && at < to ? [lagMs] : []));
    return Math.max(0, ...lags);
  }

  /** All of it, from `from` to `to` (epoch ms), in seconds since `from`. */
  timeline(from: number, to: number): Timeline {
    const series = this.#byProcess.map((samples) => new Series(samples));
    const points: TimelinePoint[] = [];
    for (let at = from; at + STEP_MS <= to; at += STEP_MS) {
      const sum = (value: (one: Series) => number): number =>
        series.reduce((total, one) => total + value(one), 0);
      points.push({
        at: (at - from) / 1000,
        sse: sum((one) => one.connected(at).sse),
        websocket: sum((one) => one.connected(at).websocket),
        legacy: sum((one) => one.connected(at).legacy),
        sdkRate: sum((one) => one.delivered('sdk', at, at + STEP_MS)) / (STEP_MS / 1000),
        legacyRate: sum((one) => one.delivered('legacy', at, at + STEP_MS)) / (STEP_MS / 1000),
      });
    }
    const since = (at: number): number => (at - from) / 1000;
    return {
      points,
      interruptions: this.interruptions(from, to).map(({ at, kind, eventsMs }) => ({
        at: since(at),
        kind,
        ms: Math.round(eventsMs),
      })),
      marks: this.#marks.map(({ at, label }) => ({ at: since(at), label })),
    };
  }

  #all(): Sample[] {
    return this.#byProcess.flat();
  }
}

/** One process's samples, which come when they come, read at any time. */
class Series {
  readonly #samples: readonly Sample[];
  readonly #totals: readonly { readonly sdk: number; readonly legacy: number }[];

  constructor(samples: readonly Sample[]) {
    this.#samples = samples;
    let sdk = 0;
    let legacy = 0;
    this.#totals = samples.map(({ delivered }) => {
      sdk += delivered.sdk;
      legacy += delivered.legacy;
      return { sdk, legacy };
    });
  }

  /** Who was connected at `at`. */
  connected(at: number): Sample['connected'] {
    const sample = this.#samples.findLast((one) => one.at <= at);
    return sample?.connected ?? { sse: 0, websocket: 0, legacy: 0 };
  }

  /** Events given from `from` to `to`, as if they had come evenly between two samples. */
  delivered(kind: 'sdk' | 'legacy', from: number, to: number): number {
    return this.#total(kind, to) - this.#total(kind, from);
  }

  #total(kind: 'sdk' | 'legacy', at: number): number {
    const index = this.#samples.findLastIndex((one) => one.at <= at);
    const before = this.#totals[index]?.[kind] ?? 0;
    const next = this.#samples[index + 1];
    const previous = this.#samples[index];
    if (next === undefined || previous === undefined) return before;
    const share = (at - previous.at) / Math.max(1, next.at - previous.at);
    return before + share * ((this.#totals[index + 1]?.[kind] ?? before) - before);
  }
}
