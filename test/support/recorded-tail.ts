import type { LogEntry } from '../../src/core/event.js';
import type { LogState, LogTail } from '../../src/core/log/event-log.js';

/** A tail that remembers what the log told it. */
export class RecordedTail implements LogTail {
  readonly resets: string[] = [];
  readonly received: LogEntry[] = [];
  readonly states: LogState[] = [];
  /** Names of the calls, in order. */
  readonly calls: string[] = [];
  /** Runs at each batch, after it was recorded. */
  onEntries: () => void = () => undefined;

  /** The ids received, in order. */
  get ids(): string[] {
    return this.received.map(({ id }) => id);
  }

  /** The data received, parsed. */
  get data(): unknown[] {
    return this.received.map(({ dataJson }) => JSON.parse(dataJson) as unknown);
  }

  reset(floor: string): void {
    this.calls.push('reset');
    this.resets.push(floor);
  }

  entries(batch: readonly LogEntry[]): void {
    this.calls.push('entries');
    if (batch.length === 0) throw new Error('told of an empty batch');
    this.received.push(...batch);
    this.onEntries();
  }

  /** The shards that were caught up, in order. */
  readonly caughtUpWith: number[] = [];

  caughtUp(shard: number): void {
    this.caughtUpWith.push(shard);
  }

  state(state: LogState): void {
    this.calls.push('state');
    this.states.push(state);
  }
}
