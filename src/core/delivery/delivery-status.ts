import type { Transport } from './session.js';
import type { SessionBacklog } from './sweeper.js';

/** What `Delivery.status` tells. */
export interface DeliveryStatus {
  readonly sessions: Readonly<Record<Transport, number>>;
  /** Sessions by room, of at most 1000 rooms the largest. */
  readonly rooms: Readonly<Record<string, number>>;
  readonly eventsHeld: number;
  readonly cursor: string;
  readonly windowMs: number;
  readonly flushes: number;
  /** How far sessions are behind, found out once a second. */
  readonly backlog: SessionBacklog;
}
