import { CLIENT_KINDS } from '../delivery/client-kind.js';
import type { ClientsByTransport } from '../delivery/client-tally.js';
import type { Delivery } from '../delivery/delivery.js';
import type { LoopLagFigures } from './loop-lag.js';
import type { Told, ToldMetrics } from './told-metrics.js';
import type { Traffic } from './traffic.js';

/** What {@link tellDelivery} reads. */
export interface DeliverySources {
  readonly delivery: Pick<Delivery, 'levels' | 'occupiedRooms' | 'figures' | 'isClosing'>;
  /** How late the event loop was; null in the first moment. */
  readonly loopLag: () => LoopLagFigures | null;
}

/** Upper ends of the buckets of the latency, s; 0.15 is what is promised of the 95th of a hundred. */
const LATENCY_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Tells of clients and of what they are given. */
export function tellDelivery(metrics: ToldMetrics, { delivery, loopLag }: DeliverySources): void {
  metrics.gauge(
    { name: 'flipgate_sessions', help: 'Clients that are connected, by transport.', labels: ['transport'] },
    () => byTransport(delivery.levels().sessions),
  );
  metrics.gauge(
    {
      name: 'flipgate_clients',
      help: 'The same clients, by transport and kind: the SDK, which names itself, and of the others bundle clients, readers of event streams and stock Socket.IO clients.',
      labels: ['transport', 'kind'],
    },
    () => byKind(delivery.levels().clients),
  );
  metrics.gauge({ name: 'flipgate_rooms', help: 'Rooms that a client of this node is in.' }, () => [
    [delivery.occupiedRooms],
  ]);
  metrics.gauge(
    { name: 'flipgate_events_held', help: 'Events of the log that this node has in memory.' },
    () => [[delivery.levels().eventsHeld]],
  );
  metrics.gauge(
    { name: 'flipgate_window_seconds', help: 'How long events are gathered now before they are flushed.' },
    () => [[delivery.levels().windowMs / 1000]],
  );
  metrics.counter(
    { name: 'flipgate_flushes_total', help: 'Flushes: times that rooms with news were given them.' },
    () => [[delivery.levels().flushes]],
  );
  metrics.gauge(
    {
      name: 'flipgate_backlog_age_seconds',
      help: 'How long ago the oldest event arrived that a client still awaits, of those that are not just coming back.',
    },
    () => [[delivery.levels().backlog.oldestSeconds]],
  );
  metrics.gauge(
    { name: 'flipgate_sessions_behind', help: 'Clients that have awaited something for more than a second.' },
    () => [[delivery.levels().backlog.sessionsBehind]],
  );
  metrics.gauge(
    {
      name: 'flipgate_draining',
      help: '1 while this node goes down: it takes no clients, and moves those it has.',
    },
    () => [[delivery.isClosing ? 1 : 0]],
  );
  metrics.histogram(
    {
      name: 'flipgate_delivery_latency_seconds',
      help: 'From an event being in the log to the end of the flush that took it to its rooms; an event once, whoever got it.',
      bounds: LATENCY_BOUNDS,
    },
    () => [[delivery.figures.latencyMs]],
  );
  metrics.gauge(
    {
      name: 'flipgate_event_loop_lag_seconds',
      help: 'How late the event loop served what was due, over the last 5 to 10 s: its percentiles, of which the 100th is the worst.',
      labels: ['percentile'],
    },
    () => percentiles(loopLag()),
  );
  tellTraffic(metrics, delivery.figures.traffic);
}

/** Tells what clients were written. */
function tellTraffic(metrics: ToldMetrics, traffic: Readonly<Record<'websocket' | 'sse', Traffic>>): void {
  const of = (amount: (one: Traffic) => number) => (): readonly Told[] =>
    byTransport({ websocket: amount(traffic.websocket), sse: amount(traffic.sse) });
  const labels = ['transport'];
  metrics.counter(
    {
      name: 'flipgate_events_written_total',
      help: 'Events out: of an event that goes to a hundred clients, each counts.',
      labels,
    },
    of(({ events }) => events),
  );
  metrics.counter(
    {
      name: 'flipgate_events_coalesced_total',
      help: 'Events that clients were spared, since a newer one of the same type and key took their place.',
      labels,
    },
    of(({ owed, events }) => owed - events),
  );
  metrics.counter(
    {
      name: 'flipgate_writes_total',
      help: 'Writes to clients: bundles, or, to clients that get each event by itself, events.',
      labels,
    },
    of(({ writes }) => writes),
  );
  metrics.counter(
    {
      name: 'flipgate_written_bytes_total',
      help: 'Bytes of these writes, as the wire frames them.',
      labels,
    },
    of(({ bytes }) => bytes),
  );
}

function byTransport({ websocket, sse }: Readonly<Record<'websocket' | 'sse', number>>): readonly Told[] {
  return [
    [websocket, { transport: 'websocket' }],
    [sse, { transport: 'sse' }],
  ];
}

function byKind(clients: ClientsByTransport): readonly Told[] {
  return (['websocket', 'sse'] as const).flatMap((transport) =>
    CLIENT_KINDS.map((kind): Told => [clients[transport][kind], { transport, kind }]),
  );
}

function percentiles(lag: LoopLagFigures | null): readonly Told[] {
  if (lag === null) return [];
  return [
    [lag.p50 / 1000, { percentile: '50' }],
    [lag.p99 / 1000, { percentile: '99' }],
    [lag.max / 1000, { percentile: '100' }],
  ];
}
