import type { Transport } from '../delivery/session.js';
import { Histogram } from './histogram.js';
import { Traffic } from './traffic.js';

/** What delivery counts while it works, since the process started. */
export interface DeliveryFigures {
  /** What was written, by transport. */
  readonly traffic: Readonly<Record<Transport, Traffic>>;
  /**
   * From an event's id to the end of the flush that took it to its rooms, ms: each event of a room that somebody is in,
   * once. With Redis, ids are of Redis' clock.
   */
  readonly latencyMs: Histogram;
}

/** All of them at 0. */
export function newDeliveryFigures(): DeliveryFigures {
  return { traffic: { websocket: new Traffic(), sse: new Traffic() }, latencyMs: new Histogram() };
}
