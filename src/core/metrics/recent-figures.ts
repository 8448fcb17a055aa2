import process from 'node:process';
import type { Clock } from '../clock.js';
import type { Transport } from '../delivery/session.js';
import type { Counters } from './counters.js';
import type { DeliveryFigures } from './delivery-figures.js';
import type { Histogram } from './histogram.js';
import { LoopLag, type LoopLagFigures } from './loop-lag.js';
import type { Traffic } from './traffic.js';

/** How often a sample is kept, ms. */
const SAMPLE_MS = 1000;
/** Samples kept: rates and quantiles are over the last 10 s. */
const SAMPLES = 10;

/** What sessions of one transport got, a second. */
export interface TrafficRates {
  readonly eventsPerSecond: number;
  readonly writesPerSecond: number;
  readonly bytesPerSecond: number;
}

/** What the status shows of how the gateway works. */
export interface Figures {
  /** Since the process started. */
  readonly total: {
    /** Events that the log brought. */
    readonly eventsIn: number;
    readonly traffic: Readonly<Record<Transport, Readonly<Traffic>>>;
    readonly latency: { readonly count: number; readonly sumMs: number };
    /** CPU time of the process, s. */
    readonly cpuSeconds: number;
  };
  /** Of the last `seconds`, at most 11. */
  readonly recent: {
    readonly seconds: number;
    readonly eventsInPerSecond: number;
    readonly traffic: Readonly<Record<Transport, TrafficRates>>;
    /** How many events one that was written stands for; null when none was written. */
    readonly coalescing: number | null;
    /** Null when no event was delivered. */
    readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number } | null;
    /** Of the last 5 to 10 s; null in the first moment. */
    readonly loopLagMs: LoopLagFigures | null;
    /** CPU the process took, as a part of one core; more than 1 with threads. */
    readonly cpu: number;
  };
  /** Memory of the process now. */
  readonly memory: { readonly rssBytes: number; readonly heapUsedBytes: number };
}

/** The counts of one moment. */
interface Sample {
  /** {@link Clock.elapsed} */
  readonly at: number;
  readonly eventsIn: number;
  readonly traffic: Readonly<Record<Transport, Readonly<Traffic>>>;
  readonly latencyMs: Histogram;
  readonly cpuSeconds: number;
}

/** What {@link RecentFigures} read. */
export interface RecentFiguresParts {
  readonly clock: Clock;
  readonly counters: Counters;
  readonly delivery: DeliveryFigures;
}

/** Keeps a sample of all counts each second, and says what came of them in the last ten. */
export class RecentFigures {
  readonly #parts: RecentFiguresParts;
  readonly #lag: LoopLag;
  readonly #endSampling: () => void;
  readonly #samples: Sample[];

  constructor(parts: RecentFiguresParts) {
    this.#parts = parts;
    this.#lag = new LoopLag(parts.clock);
    this.#samples = [this.#sample()];
    this.#endSampling = parts.clock.every(SAMPLE_MS, () => {
      this.#samples.push(this.#sample());
      if (this.#samples.length > SAMPLES) this.#samples.shift();
    });
  }

  /** The figures of this moment. */
  report(): Figures {
    const now = this.#sample();
    const [before = now] = this.#samples;
    const { rss, heapUsed } = process.memoryUsage();
    const { eventsIn, traffic, latencyMs, cpuSeconds } = now;
    return {
      total: {
        eventsIn,
        traffic,
        latency: { count: latencyMs.count, sumMs: latencyMs.sum },
        cpuSeconds,
      },
      recent: { ...between(before, now), loopLagMs: this.#lag.figures() },
      memory: { rssBytes: rss, heapUsedBytes: heapUsed },
    };
  }

  /** How late the event loop was; null in the first moment. */
  loopLag(): LoopLagFigures | null {
    return this.#lag.figures();
  }

  /** Samples no more. */
  close(): void {
    this.#endSampling();
    this.#lag.close();
  }

  #sample(): Sample {
    const { clock, counters, delivery } = this.#parts;
    const { user, system } = process.cpuUsage();
    const { websocket, sse } = delivery.traffic;
    return {
      at: clock.elapsed(),
      eventsIn: counters.get('events_logged'),
      traffic: { websocket: websocket.since(), sse: sse.since() },
      latencyMs: delivery.latencyMs.copy(),
      cpuSeconds: (user + system) / 1e6,
    };
  }
}

function between(before: Sample, now: Sample): Omit<Figures['recent'], 'loopLagMs'> {
  const seconds = (now.at - before.at) / 1000;
  const perSecond = (amount: number): number => (seconds > 0 ? amount / seconds : 0);
  const rates = ({ events, writes, bytes }: Traffic): TrafficRates => ({
    eventsPerSecond: perSecond(events),
    writesPerSecond: perSecond(writes),
    bytesPerSecond: perSecond(bytes),
  });
  const websocket = now.traffic.websocket.since(before.traffic.websocket);
  const sse = now.traffic.sse.since(before.traffic.sse);
  const written = websocket.events + sse.events;
  return {
    seconds,
    eventsInPerSecond: perSecond(now.eventsIn - before.eventsIn),
    traffic: { websocket: rates(websocket), sse: rates(sse) },
    coalescing: written === 0 ? null : (websocket.owed + sse.owed) / written,
    latencyMs: quantilesOf(now.latencyMs.since(before.latencyMs)),
    cpu: perSecond(now.cpuSeconds - before.cpuSeconds),
  };
}

function quantilesOf(histogram: Histogram): Figures['recent']['latencyMs'] {
  const [p50, p95, p99] = [histogram.quantile(0.5), histogram.quantile(0.95), histogram.quantile(0.99)];
  return p50 === null || p95 === null || p99 === null ? null : { p50, p95, p99 };
}
