import type { Outlet } from '../../core/delivery/outlet.js';
import type { Slice } from '../../core/delivery/slice.js';
import type { ErrorCode } from '../../core/errors.js';
import type { EngineWriter } from './engine-writer.js';
import { joined, legacyWire } from './socketio-wire.js';

/** A stock client that knows nothing of flipgate: gets each event under its own name, and nothing else. */
export class LegacyConnection implements Outlet {
  readonly client = 'stock';
  readonly isTold = false;
  readonly #writer: EngineWriter;
  readonly #onRooms: () => void;
  readonly #greet: () => void;

  /** `greet` sends what such a client is sent when it connects; `onRooms` is called when its session's rooms changed. */
  constructor(writer: EngineWriter, onRooms: () => void, greet: () => void) {
    this.#writer = writer;
    this.#onRooms = onRooms;
    this.#greet = greet;
  }

  get writable(): boolean {
    return this.#writer.writable;
  }

  accept(): void {
    this.#greet();
  }

  /** It knows no welcome. */
  welcome(): void {}

  /** All emits of a flush are one write, or one payload of polling. */
  deliver(slices: readonly Slice[]): number {
    const [only] = slices;
    // The common case, one room, is a frame that all its sessions share.
    const isShared = only !== undefined && slices.length === 1;
    const frame = isShared ? only.frame(legacyWire) : joined(slices.map((slice) => slice.frame(legacyWire)));
    return frame.packets.length === 0 ? 0 : this.#writer.write(frame);
  }

  /** It knows no gaps; the snapshot that follows one is all that can be done for it. */
  gap(): void {}

  roomsChanged(): void {
    this.#onRooms();
  }

  end(reason: ErrorCode): void {
    this.#writer.close(reason === 'slow_consumer');
  }
}
