import type { ErrorCode } from '../errors.js';
import type { ClientKind } from './client-kind.js';
import type { Slice } from './slice.js';

/** What a session is told first. */
export interface Welcome {
  readonly sessionId: string;
  /** The profile this process serves. */
  readonly profile: string;
  readonly rooms: readonly string[];
  /** The log's epoch: ids of another one can't be compared with those that come now. */
  readonly epoch: string;
  /** The cursor it goes on from, when resumed; null when it starts anew. */
  readonly cursor: string | null;
  readonly resumed: boolean;
  /** The longest time in ms between two writes: after clearly more silence the connection is dead. */
  readonly heartbeatMs: number;
}

/** Why a session could not be given a stretch of the log. */
export const GAP_REASONS = [
  /** Events after the cursor were trimmed from the log. */
  'trimmed',
  /** The cursor belongs to another log, or to one that was lost: its epoch is another one. */
  'unknown_cursor',
  /** The session fell too far behind: the oldest append events were left out; what is left follows, no snapshot. */
  'overflow',
] as const;

/** One of {@link GAP_REASONS}. */
export type GapReason = (typeof GAP_REASONS)[number];

/** A stretch of the log that a session could not be given. The snapshot follows it, but for `overflow`. */
export interface Gap {
  readonly reason: GapReason;
  /** Events lost to the session, where that is known, else null. */
  readonly dropped: number | null;
  /** The log's epoch from now on. */
  readonly epoch: string;
  /** Where the session goes on. */
  readonly cursor: string;
}

/** What a client that can be told is told right before its session ends, by the reason; nothing for the others. */
export const NOTICES: Readonly<Partial<Record<ErrorCode, string>>> = {
  shutting_down: 'draining',
  transport_disabled: 'profile_changed',
  token_expired: 'token_expired',
  auth_unavailable: 'auth_unavailable',
  too_many_attempts: 'too_many_attempts',
};

/**
 * A connection as core sees it: what a profile implements. Flow control: core asks `writable` before each write
 * and writes nothing while it is false; the connection then calls `Delivery.wake` once it can take more. Core
 * makes one `deliver` a flush, and a connection makes it one write, so that it holds at most one flush beyond what the system
 * took.
 */
export interface Outlet {
  /** False while the connection holds bytes it could not pass on. */
  readonly writable: boolean;
  /** The kind of client at its other end, for figures alone. */
  readonly client: ClientKind;
  /** Whether its client understands notices, such as {@link NOTICES}. Legacy clients don't. */
  readonly isTold: boolean;
  /** The session is accepted; comes before every other call. */
  accept(): void;
  /** Comes before events. */
  welcome(welcome: Welcome): void;
  /**
   * One write: the slices' events, in order. `cursor` is what the session may resume from once it has them, or
   * null when it lacks something still. `slices` may be empty when only the cursor moved. Returns the bytes written, as
   * the wire frames them; 0 when there was nothing to say.
   */
  deliver(slices: readonly Slice[], cursor: string | null): number;
  gap(gap: Gap): void;
  /** The session's rooms are others now, whoever changed them. */
  roomsChanged(): void;
  /** Core ends the session; the connection tells the client as its wire can and closes. */
  end(reason: ErrorCode): void;
}
