import type { ClientKind } from '../../src/core/delivery/client-kind.js';
import type { Gap, Outlet, Welcome } from '../../src/core/delivery/outlet.js';
import type { Slice } from '../../src/core/delivery/slice.js';
import type { ErrorCode } from '../../src/core/errors.js';
import type { Event } from '../../src/core/event.js';

/** One write that a {@link RecordingOutlet} was given. */
export interface RecordedWrite {
  readonly slices: readonly Slice[];
  readonly events: readonly Event[];
  readonly cursor: string | null;
}

/** A connection that remembers what core does to it, and is writable when the test says so. */
export class RecordingOutlet implements Outlet {
  /** Whether it can take more; a test that sets it to true calls `Delivery.wake`, as a connection would. */
  writable = true;
  client: ClientKind = 'bundle';
  /** Whether its client understands notices. */
  isTold = true;
  /** Names of the calls, in order. */
  readonly calls: string[] = [];
  readonly welcomes: Welcome[] = [];
  readonly writes: RecordedWrite[] = [];
  readonly gaps: Gap[] = [];
  ended: ErrorCode | undefined;
  /** Runs at each write, after it was recorded. */
  onWrite: (write: RecordedWrite) => void = () => undefined;

  /** All events written, in order. */
  get events(): Event[] {
    return this.writes.flatMap(({ events }) => events);
  }

  /** The data of all events written, parsed. */
  get data(): unknown[] {
    return this.events.map(({ dataJson }) => JSON.parse(dataJson) as unknown);
  }

  /** The newest cursor it was given; null when none. */
  get cursor(): string | null {
    return this.writes.findLast(({ cursor }) => cursor !== null)?.cursor ?? null;
  }

  accept(): void {
    this.calls.push('accept');
  }

  welcome(welcome: Welcome): void {
    this.calls.push('welcome');
    this.welcomes.push(welcome);
  }

  /** Each slice takes a hundred bytes. */
  deliver(slices: readonly Slice[], cursor: string | null): number {
    this.calls.push('deliver');
    const write = { slices, events: slices.flatMap(({ events }) => events), cursor };
    this.writes.push(write);
    this.onWrite(write);
    return slices.length * 100;
  }

  gap(gap: Gap): void {
    this.calls.push('gap');
    this.gaps.push(gap);
  }

  roomsChanged(): void {}

  end(reason: ErrorCode): void {
    this.calls.push('end');
    this.ended = reason;
  }
}
