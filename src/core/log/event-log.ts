import type { Refusal } from '../errors.js';
import type { LogEntry, NewEvent } from '../event.js';
import type { Shards } from './shards.js';

/**
 * `starting`: what the log holds is still being read in, for the first time. `ready`: it takes and gives events.
 * `unavailable`: its store, or a part of it that is followed, can't be reached; it goes on by itself when it can.
 */
export type LogState = 'starting' | 'ready' | 'unavailable';

/** Who follows the log. All calls come in order, one at a time; ids tell of which shard they speak. */
export interface LogTail {
  /**
   * What comes next in the shard of `floor` follows that id: a cursor at or after it is whole, one before it has lost
   * events. Comes first in each shard, and again whenever it could not be followed without loss.
   */
  reset(floor: string): void;
  /** The next entries of one shard, oldest first, each exactly once; never empty. */
  entries(batch: readonly LogEntry[]): void;
  /** All that the shard holds has been told; comes each time it could be followed up to its end again. */
  caughtUp(shard: number): void;
  /** The log's state changed. */
  state(state: LogState): void;
}

/** A stretch of one shard of the log. */
export interface LogPage {
  /** Oldest first; empty when nothing follows the id. */
  readonly entries: readonly LogEntry[];
  /** False when events right after the id are gone (trimmed), or the id is none of this log's. */
  readonly whole: boolean;
}

/**
 * The bounded log all events enter, in one or several shards; the order within a shard is the order of delivery within
 * each of its rooms. Memory and Redis implement it; one contract suite runs over both.
 */
export interface EventLog {
  /** Where it is kept. */
  readonly kind: 'memory' | 'redis';
  /** How it is divided. */
  readonly shards: Shards;
  /** Resolves when it may be written to: when it is known that all who share it divide it alike. */
  readonly agreed: Promise<void>;
  /** Its state now; changes are told to the tail. */
  readonly state: LogState;
  /**
   * Begins to follow the log with everything it still holds, then live; only these of its shards, or all. Called once,
   * before anything else.
   */
  start(tail: LogTail, shards?: readonly number[]): void;
  /** The shards that are followed. */
  readonly followed: readonly number[];
  /** Follows a shard, as {@link start} does; no effect when it is followed already. */
  follow(shard: number): void;
  /** Follows a shard no longer: the tail is told nothing of it any more. */
  unfollow(shard: number): void;
  /**
   * Appends all events or none, in order; resolves with one id each once the log has them. Refuses with
   * `log_unavailable`: nothing was stored; or with `outcome_unknown`: it may have been, so that trying again may store it twice.
   * Where the events lie in several shards it is all or none in each; an event of several shards has an id in each, and the first is told.
   */
  append(events: readonly NewEvent[]): Promise<readonly string[] | Refusal>;
  /** Up to `limit` (≥ 1) entries after `id`, in its shard; any text may come in. Refuses with `log_unavailable`. */
  readAfter(id: string, limit: number): Promise<LogPage | Refusal>;
  /** Stops following and lets go of what was opened. What was appended stays appended. */
  close(): Promise<void>;
}
