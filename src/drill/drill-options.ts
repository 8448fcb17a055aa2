import { maskRedisUrl } from '../core/config/redis-url.js';

/** What a drill is: who takes part, for how long, and what is demanded. */
export interface DrillOptions {
  /** Clients of the SDK. */
  readonly clients: number;
  /** Stock Socket.IO clients. */
  readonly legacy: number;
  /** `append` events a second in the room of the SDK's clients. */
  readonly rate: number;
  /** Seconds a step goes on once everybody is back. */
  readonly hold: number;
  /** Seconds everybody may take to be back, and to have everything. */
  readonly patience: number;
  /** `DRAIN_MS` of the gateways. */
  readonly drainMs: number;
  /** Processes that share the clients. */
  readonly processes: number;
  /** Program that is started as Redis. */
  readonly redisServer: string;
  /** Redis that is there and used instead; undefined for one of its own. */
  readonly redisUrl: string | undefined;
  /** Program that is started as nginx, before the gateways; undefined for none. */
  readonly nginx: string | undefined;
  /** Largest 95th percentile of the SDK clients' interruptions at a flip, ms. */
  readonly maxInterruptionMs: number;
  /** Most refused connections at a flip. */
  readonly maxRefused: number;
}

/** The options as they may be shown to anybody: passwords masked. */
export function shownOptions(options: DrillOptions): DrillOptions {
  const { redisUrl } = options;
  return { ...options, redisUrl: redisUrl === undefined ? undefined : maskRedisUrl(redisUrl) };
}
