import type { ProfileName } from '../core/config/profile.js';
import type { Machine } from '../rig/machine.js';
import type { ClientKind } from './client-kind.js';
import type { TallyEntries } from './load/latency-tally.js';
import type { ValidateOptions } from './validate-options.js';

/** What a level came to. */
export type LevelStatus = 'PASS' | 'FAIL' | 'NOT MEASURED';

/** One service level under one profile. */
export interface Level {
  readonly profile: ProfileName;
  /** For people, such as `p95 latency, legacy clients`: the same under every profile. */
  readonly what: string;
  /** Null where it was not measured. */
  readonly figure: number | null;
  readonly unit: string;
  readonly target: number;
  /** Whether the figure must be below the target, or at least or at most be it. */
  readonly must: 'below' | 'at least' | 'at most';
  readonly status: LevelStatus;
  /** Why it was not measured, or what stands behind the figure; empty where there is nothing to say. */
  readonly note: string;
}

/** A stretch of time of one kind of client. */
export interface LatencyPoint {
  /** Seconds since the load began. */
  readonly at: number;
  readonly arrivals: number;
  readonly p50: number | null;
  readonly p95: number | null;
}

/** What clients of one kind were given. */
export interface KindFigures {
  readonly kind: ClientKind;
  readonly clients: number;
  /** Events that arrived, those of all clients together, and those too many to be measured. */
  readonly arrivals: number;
  readonly uncounted: number;
  /** Null where nothing arrived, ms. */
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly max: number | null;
  /** How often each latency came, the shortest first. */
  readonly distribution: TallyEntries;
  readonly overTime: readonly LatencyPoint[];
  /** Clients that lacked something at the end, and what they lacked, added up. */
  readonly lacking: number;
  readonly missing: number;
}

/** A moment of a server under load, as its status tells it. */
export interface ServerPoint {
  /** Seconds since the load began. */
  readonly at: number;
  readonly lagMs: number | null;
  readonly backlogSeconds: number | null;
}

/** What a server made of a load. */
export interface LoadFigures {
  /** Seconds of the load, until all of it was published and had arrived. */
  readonly seconds: number;
  /** Events that were published, and how many a second. */
  readonly events: number;
  readonly taken: number;
  /** CPU seconds of the server; null where they are not known, and why. */
  readonly cpuSeconds: number | null;
  readonly cpuNote: string;
  /** CPU seconds for a second of the load. */
  readonly cpuPerSecond: number | null;
  readonly kinds: readonly KindFigures[];
  /** Empty for a server without a status, and why. */
  readonly points: readonly ServerPoint[];
  readonly statusNote: string;
  /** Connections that ended and attempts that came to nothing, by reason. */
  readonly refused: Readonly<Record<string, number>>;
  /** Longest time the clients' own processes kept things waiting, ms: beyond some tens, latencies are too large. */
  readonly loadLagMs: number;
}

/** What was measured under one profile. */
export interface ProfileResult {
  readonly profile: ProfileName;
  /** Why it could not be measured to its end; null where it was. */
  readonly trouble: string | null;
  readonly gateway: LoadFigures | null;
  /** The same load on a server with one emit per event. */
  readonly baseline: LoadFigures | null;
  readonly levels: readonly Level[];
}

/** A validation, when it is over. */
export interface ValidationResult {
  readonly passed: boolean;
  /** What failed it, for people; empty when it passed. */
  readonly failures: readonly string[];
  /** When it began, ISO 8601. */
  readonly startedAt: string;
  readonly seconds: number;
  /** Without what is secret. */
  readonly options: ValidateOptions;
  readonly machine: Machine;
  /** What was validated, for people. */
  readonly subject: string;
  /** How it was measured, a sentence each. */
  readonly method: readonly string[];
  readonly profiles: readonly ProfileResult[];
}
