import type { ClientsByTransport } from './client-tally.js';
import type { Transport } from './session.js';
import type { SessionBacklog } from './sweeper.js';

/** What `Delivery.levels` tells. */
export interface DeliveryLevels {
  readonly sessions: Readonly<Record<Transport, number>>;
  /** The same sessions, by transport and kind of client. */
  readonly clients: ClientsByTransport;
  /** Events of the log that are in memory. */
  readonly eventsHeld: number;
  readonly windowMs: number;
  /** So far. */
  readonly flushes: number;
  /** How far sessions are behind, found out once a second. */
  readonly backlog: SessionBacklog;
}

/** What `Delivery.status` tells. */
export interface DeliveryStatus extends DeliveryLevels {
  /** Sessions by room, of at most 1000 rooms the largest. */
  readonly rooms: Readonly<Record<string, number>>;
  readonly cursor: string;
}
