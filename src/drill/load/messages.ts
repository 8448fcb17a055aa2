import type { Stretch } from '../ledger/fault-numbers.js';

/** Who is connected: clients of the SDK, which have a cursor, and stock Socket.IO clients, which have none. */
export type ClientKind = 'sdk' | 'legacy';

/** What a load process has to connect. */
export interface LoadPlan {
  /** Where clients of the SDK may connect; each begins at another. */
  readonly urls: readonly string[];
  /** Whether each legacy client comes from an address of its own, as clients of the world do. */
  readonly ownAddresses: boolean;
  readonly sdk: number;
  readonly legacy: number;
  /** Number of its first client among those of all processes, ≥ 0. */
  readonly first: number;
}

/** What every client should have: numbers of each publisher up to before these, and values of keys at least as new. */
export interface Target {
  readonly upTo: Readonly<Record<string, number>>;
  readonly values: Readonly<Record<string, number>>;
}

/** Clients that do not have a target yet, or are not connected. */
export interface Progress {
  readonly sdk: { readonly away: number; readonly behind: number };
  readonly legacy: { readonly away: number; readonly behind: number };
}

/** The stretch of a publisher's numbers that belongs to a step, as it travels. */
export type StepStretch = Omit<Stretch, 'unknown'> & { readonly unknown: readonly number[] };

/** The stretches of a step, by publisher. */
export type StepStretches = Readonly<Record<string, StepStretch>>;

/** Faults of a step, added up over clients. */
export interface FaultCount {
  lost: number;
  doubled: number;
  outOfOrder: number;
  /** What clients without a cursor missed while they were away. */
  missed: number;
  /** How many clients had any fault. */
  clients: number;
  /** Some of them, for people. */
  readonly examples: string[];
}

/** Faults of a step, by kind of client. */
export type StepFaults = Readonly<Record<ClientKind, FaultCount>>;

/** What a load process is asked. */
export type LoadQuestion =
  | { readonly ask: 'connect'; readonly plan: LoadPlan }
  | { readonly ask: 'progress'; readonly target: Target }
  | { readonly ask: 'faults'; readonly steps: readonly StepStretches[] };

/** What is answered to each question. */
export interface LoadAnswers {
  readonly connect: true;
  readonly progress: Progress;
  readonly faults: readonly StepFaults[];
}

/** A connection that changed hands. */
export interface Interruption {
  readonly kind: ClientKind;
  /** When it ended, epoch ms. */
  readonly at: number;
  /** From the last event before to the first one after, ms. */
  readonly eventsMs: number;
  /** From the end of the one connection to the beginning of the other, ms; 0 where they overlap. */
  readonly awayMs: number;
}

/** Something that happened to one client, or to its connection. */
export interface Incident {
  readonly kind: ClientKind;
  /** Epoch ms. */
  readonly at: number;
  /** `refused`: an attempt to connect that came to nothing. `off`: one at a transport that is off. `gap`: loss, announced. */
  readonly what: 'refused' | 'off' | 'gap';
  /** Why, in a few words. */
  readonly reason: string;
}

/** How a load process is doing, several times a second. */
export interface Sample {
  /** Epoch ms. */
  readonly at: number;
  /** Clients connected now. */
  readonly connected: { readonly sse: number; readonly websocket: number; readonly legacy: number };
  /** Events given to clients since the sample before. */
  readonly delivered: { readonly sdk: number; readonly legacy: number };
  readonly interruptions: readonly Interruption[];
  readonly incidents: readonly Incident[];
  /** Longest time the process' own loop kept things waiting since the sample before, ms. */
  readonly lagMs: number;
}
