import type { ClientKind } from '../client-kind.js';
import type { LoadServer } from '../load/messages.js';

/** Why something could not be measured, for people. */
export interface Unmeasured {
  readonly why: string;
}

/** True for a reason instead of a figure. */
export function isUnmeasured(value: object | number): value is Unmeasured {
  return typeof value === 'object' && 'why' in value;
}

/** A server that a load is put on. */
export interface Subject {
  readonly server: LoadServer;
  /** Whom it serves. */
  readonly kinds: readonly ClientKind[];
  /**
   * Whether latencies begin at the time in an event's id, which is exact where the log and the clients have one clock, or
   * when its publisher sent it, which is longer.
   */
  readonly latencyFrom: 'id' | 'sending';
  /** CPU seconds it took so far, or why that is not known. */
  cpuSeconds(): Promise<number | Unmeasured>;
  /** What became of it, where it ended by itself; undefined while it runs, or where that is not known. */
  trouble(): string | undefined;
}
