import type { ProfileName, Transports } from '../config/profile.js';
import type { ClientKind } from '../delivery/client-kind.js';
import type { ErrorCode } from '../errors.js';

/** Who had a profile flipped, for the audit log and for those who watch. */
export interface FlipOrigin {
  /** Id of the principal; of a signal its name. */
  readonly by: string;
  /** Where the request came from; null for a signal. */
  readonly address: string | null;
  /** The way it came: by HTTP to this node, by a signal to this process, or from another node. */
  readonly via: 'http' | 'signal' | 'cluster';
}

/**
 * `switching`: the transports that come are being opened. `draining`: they are served, and the clients of those that go
 * are being moved. `superseded`: another flip came before that was over.
 */
export type FlipState = 'switching' | 'draining' | 'done' | 'failed' | 'superseded';

/** The clients of one kind whose transport a flip turns off. */
export interface FlippedKind {
  /** Sessions over that transport when the flip began. */
  readonly total: number;
  /** Sessions that are still open. */
  readonly left: number;
  /** Sessions that the flip has ended; the others closed by themselves. */
  readonly ended: number;
}

/** The clients whose transport a flip turns off: moved, back, cut off, gone. */
export interface FlipClients {
  /** SDK clients that were told to come back over a transport that is on. */
  readonly moved: number;
  /**
   * SDK clients that came to this node from another transport, with their cursor, from the beginning of the flip until 60 s
   * after its end. Clients that had their session at another node count here, too.
   */
  readonly returned: number;
  /** Other clients that were disconnected: they are not known to speak another transport. */
  readonly cutOff: number;
  /** Clients of any kind that closed their connection before their turn came. */
  readonly gone: number;
  readonly byKind: Readonly<Record<ClientKind, FlippedKind>>;
}

/** Sessions whose transport a flip turns off. */
export interface MovedSessions {
  readonly total: number;
  readonly left: number;
  /** Null of a node whose version does not tell clients apart. */
  readonly clients: FlipClients | null;
}

/** Why a flip failed. */
export interface FlipError {
  readonly code: ErrorCode;
  readonly message: string;
}

/** One flip of this node. */
export interface Flip extends FlipOrigin {
  /** Counts the flips of this process, from 1. */
  readonly id: number;
  readonly from: ProfileName;
  readonly to: ProfileName;
  /** ms since the epoch. */
  readonly startedAt: number;
  readonly state: FlipState;
  readonly sessions: MovedSessions;
  /** Null unless it failed. */
  readonly error: FlipError | null;
}

/** What a node serves, and its newest flip. */
export interface FlipReport {
  readonly profile: ProfileName;
  readonly transports: Transports;
  /** Since when the profile is served, ms since the epoch; null where another node does not tell. */
  readonly since: number | null;
  /** True in the answer to a request for the profile that was served already: nothing was changed. */
  readonly repeated: boolean;
  /** Null when there was none since the process began. */
  readonly flip: Flip | null;
}

/**
 * Called when a flip, or one of all nodes, is accepted, before it begins, with its id; without one where the profile is served
 * already.
 */
export type FlipAccepted = (to: ProfileName, id: number | undefined) => void;
