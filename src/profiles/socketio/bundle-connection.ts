import type { ClientKind } from '../../core/delivery/client-kind.js';
import { type Gap, NOTICES, type Outlet, type Welcome } from '../../core/delivery/outlet.js';
import type { Slice } from '../../core/delivery/slice.js';
import type { ErrorCode } from '../../core/errors.js';
import type { EngineWriter } from './engine-writer.js';
import { eventPacket } from './packet.js';
import { bundleWire, frameOf } from './socketio-wire.js';

/** A client that asked for bundles: gets `events` (array, cursor) and the notices, with the same meaning as on SSE. */
export class BundleConnection implements Outlet {
  readonly client: ClientKind;
  readonly isTold = true;
  readonly #writer: EngineWriter;
  readonly #onRooms: () => void;

  /** `onRooms` is called when its session's rooms changed. */
  constructor(writer: EngineWriter, onRooms: () => void, client: ClientKind) {
    this.client = client;
    this.#writer = writer;
    this.#onRooms = onRooms;
  }

  get writable(): boolean {
    return this.#writer.writable;
  }

  /** It is told by the welcome. */
  accept(): void {}

  welcome(welcome: Welcome): void {
    this.#notify('welcome', welcome);
  }

  deliver(slices: readonly Slice[], cursor: string | null): number {
    const [first] = slices;
    // The common case, one room at one cursor, is one packet that all its sessions share.
    if (first !== undefined && slices.length === 1 && first.cursor === cursor) {
      return this.#writer.write(first.frame(bundleWire));
    }
    const events = `[${slices.map((slice) => slice.json).join(',')}]`;
    return this.#writer.write(frameOf([eventPacket('events', events, JSON.stringify(cursor))]));
  }

  gap(gap: Gap): void {
    this.#notify('gap', gap);
  }

  roomsChanged(): void {
    this.#onRooms();
  }

  end(reason: ErrorCode): void {
    // Between two polls a client is not writable, and still to be told.
    const notice = NOTICES[reason];
    if (notice !== undefined) this.#notify(notice, { reason });
    this.#writer.close(reason === 'slow_consumer');
  }

  #notify(name: string, notice: object): void {
    this.#writer.write(frameOf([eventPacket(name, JSON.stringify(notice))]));
  }
}
