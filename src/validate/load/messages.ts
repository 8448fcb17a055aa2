import type { ClientKind } from '../client-kind.js';
import type { TallyEntries } from './latency-tally.js';
import type { LoadShape } from './load-shape.js';

/** Whom the clients connect to. */
export interface LoadServer {
  /** Without a slash at the end. */
  readonly url: string;
  /** Sent with every request and connection; undefined for none. */
  readonly token: string | undefined;
  /** Whether it is a gateway, or the plain server it is compared with, of which the SDK knows nothing. */
  readonly isGateway: boolean;
}

/** What a load process has to connect. */
export interface LoadPlan {
  readonly server: LoadServer;
  /** Name of this run: events of others do not count. */
  readonly run: string;
  readonly shape: LoadShape;
  readonly clients: Readonly<Record<ClientKind, number>>;
  /** Number of its first client among those of all processes, ≥ 0: rooms are given out by it. */
  readonly first: number;
}

/** Clients that are not where they should be. */
export interface Progress {
  readonly clients: number;
  /** Not connected, or not in their room. */
  readonly away: number;
  /** Without everything they are owed. */
  readonly behind: number;
  /** What they lack, added up. */
  readonly missing: number;
}

/** What is asked about arrivals. */
export interface Collection {
  /** Number of the first event that counts. */
  readonly from: number;
  /** When each event from there on began its way, epoch ms: what is not in it does not count. */
  readonly begun: readonly number[];
  /** Where the first slot begins, epoch ms, and how long each is, ms. */
  readonly since: number;
  readonly slotMs: number;
}

/** What arrived at clients of one kind. */
export interface Collected {
  /** From the beginning of an event's way to its arrival, ms. */
  readonly latency: TallyEntries;
  /** The same by the slot in which they arrived. */
  readonly slots: readonly (readonly [slot: number, entries: TallyEntries])[];
  /** Arrivals that were too many to be kept, of the whole run. */
  readonly uncounted: number;
}

/** What a load process is asked. `disconnect` ends all clients. */
export type LoadQuestion =
  | { readonly ask: 'connect'; readonly plan: LoadPlan }
  | { readonly ask: 'progress'; readonly upTo: number }
  | { readonly ask: 'collect'; readonly collection: Collection }
  | { readonly ask: 'disconnect' };

/** What is answered to each question. */
export interface LoadAnswers {
  readonly connect: true;
  readonly progress: Readonly<Record<ClientKind, Progress>>;
  readonly collect: Readonly<Record<ClientKind, Collected>>;
  readonly disconnect: true;
}

/** How a load process is doing, several times a second. */
export interface LoadSample {
  /** Longest time the process' own loop kept things waiting since the sample before, ms. */
  readonly lagMs: number;
  /** Connections that ended, and attempts that came to nothing, since the sample before, by reason. */
  readonly refused: Readonly<Record<string, number>>;
}
