import type { DeniedPrincipals } from '../auth/denied-principals.js';
import type { Clock } from '../clock.js';
import type { EventTypes } from '../event-types.js';
import type { EventLog } from '../log/event-log.js';
import type { LogBounds } from '../log/memory-log.js';
import type { Logger } from '../logger.js';
import type { Counters } from '../metrics/counters.js';
import type { SessionLimits } from './admission.js';
import type { DeliveryTraces } from './delivery-traces.js';
import type { WindowBounds } from './window.js';

/** What delivery is told by the configuration. */
export interface DeliverySettings extends SessionLimits {
  /** Rooms of sessions that name none. */
  readonly defaultRooms: readonly string[];
  readonly heartbeatMs: number;
  readonly window: WindowBounds;
  /** Most writes that may await one client, each of at most 1000 events or 256 KiB. */
  readonly maxQueuePerClient: number;
  /** How long a connection may be unable to take what awaits it, and how old what awaits it may be, ms. */
  readonly maxBacklogMs: number;
  /**
   * Rooms that the sessions of one principal may join and leave in a second, together; one session as many as it may have rooms,
   * or 50. Of values in snapshots that clients ask for, 10 count as one room. 0 = no limit.
   */
  readonly maxRoomChangesPerSecond: number;
  /** How much of the log this process keeps in memory. */
  readonly memory: LogBounds;
}

/** What delivery works with. */
export interface DeliveryParts {
  readonly log: EventLog;
  readonly types: EventTypes;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly logger: Logger;
  /** Principals that get no sessions, and may not change rooms. */
  readonly denied: Pick<DeniedPrincipals, 'refusalFor'>;
  /** A new session's id: unique among all nodes, and not to be guessed. */
  readonly newSessionId: () => string;
  /** The profile served now, as clients are told. */
  readonly profile: () => string;
  /** Random number in [0, 1). */
  readonly random: () => number;
  /** Where it is told which events were delivered; undefined where nothing is traced. */
  readonly traces?: DeliveryTraces | undefined;
}
