import type { LogEntry } from '../../src/core/event.js';
import { formatCursor } from '../../src/core/log/cursor.js';
import type { LogTail } from '../../src/core/log/event-log.js';

/** A tail that remembers what the log told it. */
export class RecordedTail implements LogTail {
  /** The floors it was told, in order; the epochs of each. */
  readonly resets: string[] = [];
  readonly epochs: string[] = [];
  readonly received: LogEntry[] = [];
  /** Whether it was caught up with, at each change. */
  readonly caught: boolean[] = [];
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

  reset(epoch: string, floor: string): void {
    this.calls.push('reset');
    this.epochs.push(epoch);
    this.resets.push(floor);
  }

  entries(batch: readonly LogEntry[]): void {
    this.calls.push('entries');
    if (batch.length === 0) throw new Error('told of an empty batch');
    this.received.push(...batch);
    this.onEntries();
  }

  caughtUp(isCaughtUp: boolean): void {
    this.calls.push('caughtUp');
    this.caught.push(isCaughtUp);
  }

  /** The cursor of an id, in the newest epoch. */
  cursorOf(id: string): string {
    return formatCursor(this.epochs.at(-1) ?? '', id);
  }
}
