import type { Refusal } from '../errors.js';
import type { LogEntry, NewEvent } from '../event.js';

/**
 * `starting`: the log's content is still being read for the first time, or nobody knows yet whether it can be appended to.
 * `ready`: it can be read and appended to. `unavailable`: one of the two does not work; it goes on by itself when it can.
 */
export type LogState = 'starting' | 'ready' | 'unavailable';

/** Follows the log. All calls come in order, one at a time. */
export interface LogTail {
  /**
   * The next entries follow the id `floor` of `epoch`: a cursor at or after it is complete, one before it has lost events.
   * Comes first, and again whenever the log could not be followed without loss, or was replaced (another epoch).
   */
  reset(epoch: string, floor: string): void;
  /** The next entries, oldest first, each exactly once; never empty. */
  entries(batch: readonly LogEntry[]): void;
  /** True: all entries of the log have been told. False: the log can not be read now. Comes at each change. */
  caughtUp(isCaughtUp: boolean): void;
}

/**
 * Why events after a cursor can not be had. `trimmed`: they were removed. `unknown_cursor`: the cursor belongs to another
 * log, or to one that was lost.
 */
export type Loss = 'trimmed' | 'unknown_cursor';

/** The entries after a cursor. */
export interface LogPage {
  /** Oldest first; empty when nothing follows the cursor. */
  readonly entries: readonly LogEntry[];
  /** Why events right after the cursor are missing; null when none are. */
  readonly loss: Loss | null;
}

/**
 * The bounded log that all events enter; its order is the order of delivery within each room. Memory and Redis implement
 * it; one contract suite runs over both.
 */
export interface EventLog {
  /** Where it is kept. */
  readonly kind: 'memory' | 'redis';
  /** Its state now. */
  readonly state: LogState;
  /** Why it is not `ready`, for operators; null when it is. */
  readonly reason: string | null;
  /** Begins to follow the log with everything it still holds, then live. Called once, before anything else. */
  start(tail: LogTail): void;
  /**
   * Appends all events or none, in order; resolves with one id each once the log has them. Refuses with
   * `log_unavailable`: nothing was stored; or with `outcome_unknown`: it may have been, so that trying again may store it twice.
   */
  append(events: readonly NewEvent[]): Promise<readonly string[] | Refusal>;
  /** Up to `limit` (≥ 1) entries after a cursor; any text may come in. Refuses with `log_unavailable`. */
  readAfter(cursor: string, limit: number): Promise<LogPage | Refusal>;
  /** Stops following and closes connections. Appended events stay. */
  close(): Promise<void>;
}
