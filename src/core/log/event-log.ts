import type { Refusal } from '../errors.js';
import type { LogEntry, NewEvent } from '../event.js';

/**
 * `starting`: what the log holds is still being read in. `ready`: it takes and gives events. `unavailable`: its
 * store can't be reached; it goes on by itself when it can.
 */
export type LogState = 'starting' | 'ready' | 'unavailable';

/** Who follows the log. All calls come in order, one at a time. */
export interface LogTail {
  /**
   * What comes next follows the id `floor`: a cursor at or after it is whole, one before it has lost events.
   * Comes first, and again whenever the log could not be followed without loss.
   */
  reset(floor: string): void;
  /** The next entries, oldest first, each exactly once; never empty. */
  entries(batch: readonly LogEntry[]): void;
  /** The log's state changed. */
  state(state: LogState): void;
}

/** A stretch of the log. */
export interface LogPage {
  /** Oldest first; empty when nothing follows the cursor. */
  readonly entries: readonly LogEntry[];
  /** False when events right after the cursor are gone (trimmed), or the cursor is none of this log's. */
  readonly whole: boolean;
}

/**
 * The ordered, bounded log all events enter; its order is the order of delivery within a room. Memory and Redis
 * implement it; one contract suite runs over both.
 */
export interface EventLog {
  /** Where it is kept. */
  readonly kind: 'memory' | 'redis';
  /** Its state now; changes are told to the tail. */
  readonly state: LogState;
  /** Begins to follow the log with everything it still holds, then live. Called once, before anything else. */
  start(tail: LogTail): void;
  /**
   * Appends all events or none, in order; resolves with one id each once the log has them. Refuses with
   * `log_unavailable` (retryable, nothing stored) or `queue_full`.
   */
  append(events: readonly NewEvent[]): Promise<readonly string[] | Refusal>;
  /** Up to `limit` (≥ 1) entries after `cursor`. Refuses with `log_unavailable`. */
  readAfter(cursor: string, limit: number): Promise<LogPage | Refusal>;
  /** Stops following and lets go of what was opened. What was appended stays appended. */
  close(): Promise<void>;
}
