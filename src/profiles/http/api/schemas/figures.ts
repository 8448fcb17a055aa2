import type { LoopLagFigures } from '../../../../core/metrics/loop-lag.js';
import type { Figures, TrafficRates } from '../../../../core/metrics/recent-figures.js';
import type { Traffic } from '../../../../core/metrics/traffic.js';
import { amount, closed, count, orNull, ref, type Schema } from '../schema.js';

/** Figures of both transports. */
interface Both {
  readonly websocket: unknown;
  readonly sse: unknown;
}

type Latency = NonNullable<Figures['recent']['latencyMs']>;

/** Schemas of how the gateway works: what was counted, and what came of it in the last seconds. */
export const figureSchemas: Readonly<Record<string, Schema>> = {
  Traffic: closed<Omit<Traffic, 'since'>>('What sessions of one transport were written.', {
    owed: count('Events they would have got one by one.'),
    events: count('Events that were written, after coalescing.'),
    writes: count('Bundles; to legacy clients, events.'),
    bytes: count('As the wire frames them, without pings and notices.'),
  }),
  TrafficRates: closed<TrafficRates>('The same, a second.', {
    eventsPerSecond: amount(),
    writesPerSecond: amount(),
    bytesPerSecond: amount(),
  }),
  Figures: closed<Figures>('How the gateway works.', {
    total: closed<Figures['total']>('Since the process started.', {
      eventsIn: count('Events that the log brought.'),
      traffic: both('Traffic'),
      latency: closed<Figures['total']['latency']>("From an event's id to the end of its flush.", {
        count: count(),
        sumMs: amount(),
      }),
      cpuSeconds: amount('CPU time of the process, s.'),
    }),
    recent: closed<Figures['recent']>('Of the last `seconds`, at most 11.', {
      seconds: amount(),
      eventsInPerSecond: amount(),
      traffic: both('TrafficRates'),
      coalescing: orNull(amount('How many events one that was written stands for; null: none was.')),
      latencyMs: orNull(
        closed<Latency>("From an event's id to the end of its flush, ms; null: there was none.", {
          p50: amount(),
          p95: amount(),
          p99: amount(),
        }),
      ),
      loopLagMs: orNull(
        closed<LoopLagFigures>('How late the event loop was in the last 5 to 10 s, ms.', {
          p50: amount(),
          p99: amount(),
          max: amount(),
        }),
      ),
      cpu: amount('CPU the process took, as a part of one core.'),
    }),
    memory: closed<Figures['memory']>('Memory of the process.', {
      rssBytes: count(),
      heapUsedBytes: count(),
    }),
  }),
};

function both(name: string): Schema {
  return closed<Both>('By transport.', { websocket: ref(name), sse: ref(name) });
}
