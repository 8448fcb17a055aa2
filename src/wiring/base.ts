import type { Clock } from '../core/clock.js';
import type { Closers } from '../core/closers.js';
import type { Config } from '../core/config/config.js';
import type { DeliveryTraces } from '../core/delivery/delivery-traces.js';
import type { ServedProfile } from '../core/flip/served-profile.js';
import type { Logger } from '../core/logger.js';
import type { Counters } from '../core/metrics/counters.js';
import type { RefusedPermissions } from '../core/redis/refused-permissions.js';
import type { Tracing } from '../core/tracing.js';

/** What every part of a gateway is given. */
export interface Base {
  /** This process among all that share a Redis. */
  readonly nodeId: string;
  readonly config: Config;
  /** The profile served now. */
  readonly served: ServedProfile;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly counters: Counters;
  /** Permissions the Redis user lacks. */
  readonly permissions: RefusedPermissions;
  readonly tracing: Tracing;
  /** What joins publications with deliveries; undefined where nothing is traced. */
  readonly traces: DeliveryTraces | undefined;
  /** Where parts say how they are closed; closed in the reverse order. */
  readonly closers: Closers;
}
