import type { ProfileName } from '../core/config/profile.js';
import { maskRedisUrl } from '../core/config/redis-url.js';
import type { LoadShape } from './load/load-shape.js';

/** What is demanded. */
export interface Targets {
  /** The 95th percentile of latencies must be below it, ms. */
  readonly p95Ms: number;
  /** The 99th percentile of the event loop's lag must be below it, ms. */
  readonly lagMs: number;
  /** CPU must be at least this much below one emit per event, percent. */
  readonly cpuSavingPercent: number;
  /** The oldest event that a client awaits must be younger, s. */
  readonly backlogSeconds: number;
  /** So much of the load must be taken in its time, percent: else the other figures are of another load. */
  readonly takenPercent: number;
}

/** The Redis of gateways that are started for it. */
export interface RedisChoice {
  /** Program that is started as Redis. */
  readonly program: string;
  /** Redis that is there and used instead; undefined for one of its own. */
  readonly url: string | undefined;
}

/** What is validated, under which load, and what is demanded. */
export interface ValidateOptions {
  /** A gateway that runs, without a slash at the end; undefined: gateways are started for it. */
  readonly url: string | undefined;
  /** Sent with every request and connection; undefined for none. */
  readonly token: string | undefined;
  /** Whether a gateway that runs is flipped through the profiles, and back to what it served. */
  readonly flip: boolean;
  /** Profiles to validate; of a gateway that runs and is not flipped, what it serves is. */
  readonly profiles: readonly ProfileName[];
  /** The Redis of gateways that are started for it; undefined for none. */
  readonly redis: RedisChoice | undefined;
  /** Clients, of all kinds together. */
  readonly clients: number;
  readonly shape: LoadShape;
  /** Seconds of load that count, and those before them that do not. */
  readonly seconds: number;
  readonly warmUp: number;
  /** Processes that share the clients. */
  readonly processes: number;
  readonly targets: Targets;
  /** Whether a level that can not be measured fails nothing. */
  readonly allowUnmeasured: boolean;
}

/** The options as they may be shown to anybody: no token, passwords masked. */
export function shownOptions(options: ValidateOptions): ValidateOptions {
  const { redis, url } = options;
  return {
    ...options,
    token: undefined,
    url: url === undefined ? undefined : withoutPassword(url),
    redis:
      redis === undefined || redis.url === undefined ? redis : { ...redis, url: maskRedisUrl(redis.url) },
  };
}

function withoutPassword(url: string): string {
  const shown = new URL(url);
  if (shown.password !== '') shown.password = '***';
  return shown.href.replace(/\/$/, '');
}
