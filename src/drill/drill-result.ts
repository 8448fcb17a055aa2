import type { Distribution } from '../rig/distribution.js';
import type { Machine } from '../rig/machine.js';
import type { DrillOptions } from './drill-options.js';
import type { FaultCount } from './load/messages.js';

/** What a step does. */
export type StepKind = 'baseline' | 'flip' | 'restart' | 'kill';

/** Clients of one kind in a step. */
export interface KindResult extends FaultCount {
  /** From the last event before a connection ended to the first after, ms. */
  readonly interruptions: Distribution;
  /** From the end of a connection to the beginning of the next, ms. */
  readonly away: Distribution;
  /** Clients that were not back, or had not everything, when patience ended. */
  readonly overdue: number;
  /** Attempts to connect that came to nothing, by reason. */
  readonly refused: Readonly<Record<string, number>>;
  /** Attempts at a transport that is off. */
  readonly off: number;
  /** Losses that were announced. */
  readonly gaps: number;
}

/** A step, when it is over. */
export interface StepResult {
  /** For people, such as `WEBSOCKET → HYBRID`. */
  readonly name: string;
  readonly kind: StepKind;
  /** Seconds since the drill began. */
  readonly from: number;
  readonly to: number;
  /** Seconds until what the step does was done, and until everybody was back. */
  readonly actedIn: number;
  readonly backIn: number;
  /** Why what the step does could not be done; null where it was. */
  readonly trouble: string | null;
  /** Whether legacy clients can be served once it is done. */
  readonly servesLegacy: boolean;
  /** `append` events published, and those of them of which nobody knows whether they were stored. */
  readonly published: number;
  readonly unknown: number;
  readonly sdk: KindResult;
  readonly legacy: KindResult;
  /** Cores in use on average, by group of processes; empty where the system does not tell. */
  readonly cores: Readonly<Record<string, number>>;
  /** Longest time a load process's own loop kept things waiting, ms: beyond some tens, its figures are too large. */
  readonly loadLagMs: number;
}

/** A moment of the drill. */
export interface TimelinePoint {
  /** Seconds since the drill began. */
  readonly at: number;
  /** Clients connected. */
  readonly sse: number;
  readonly websocket: number;
  readonly legacy: number;
  /** Events given to clients, a second. */
  readonly sdkRate: number;
  readonly legacyRate: number;
}

/** What happened over time. Times are seconds since the drill began. */
export interface Timeline {
  readonly points: readonly TimelinePoint[];
  readonly interruptions: readonly {
    readonly at: number;
    readonly kind: 'sdk' | 'legacy';
    readonly ms: number;
  }[];
  readonly marks: readonly { readonly at: number; readonly label: string }[];
}

/** Something that is demanded with a figure. */
export interface DrillTarget {
  readonly what: string;
  readonly value: number | null;
  readonly limit: number;
  readonly unit: string;
  readonly passed: boolean;
}

/** Where a drill ran. */
export interface DrillSurroundings extends Machine {
  /** Version of Redis. */
  readonly redis: string;
}

/** A drill, when it is over. */
export interface DrillResult {
  readonly passed: boolean;
  /** What failed it, for people; empty when it passed. */
  readonly failures: readonly string[];
  readonly targets: readonly DrillTarget[];
  /** When it began, ISO 8601. */
  readonly startedAt: string;
  readonly seconds: number;
  readonly options: DrillOptions;
  readonly surroundings: DrillSurroundings;
  readonly steps: readonly StepResult[];
  readonly timeline: Timeline;
}
