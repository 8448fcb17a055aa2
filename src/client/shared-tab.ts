import { isNewer } from './event-id.js';
import type { FromWorker } from './tab-messages.js';
import type { GatewayEvent } from './wire.js';

/** Events that may wait for a room's beginning. */
const MAX_WAITING = 20_000;

/** One tab as the worker has it: its rooms, and what it is to be told. */
export class SharedTab {
  /** Its rooms; undefined until it is known which the default rooms are. */
  rooms: Set<string> | undefined;
  /** True once it was told where it begins. */
  hasBegun = false;
  /** When it answered last, epoch ms. */
  aliveAt = Date.now();
  readonly #port: MessagePort;
  /** Events of rooms of which it has no beginning yet. */
  readonly #waiting = new Map<string, GatewayEvent[]>();
  /** The newest event of each room's beginning: what is not newer is in it, or was superseded. */
  readonly #floors = new Map<string, string>();
  #dropped = 0;
  #outbox: GatewayEvent[] = [];
  #cursor: string | null = null;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  tell(message: FromWorker): void {
    this.#port.postMessage(message, []);
  }

  /** From now on events of the room wait for its beginning, after those that came right before. */
  await(room: string, recent: readonly GatewayEvent[]): void {
    this.rooms?.add(room);
    this.#waiting.set(room, [...recent]);
  }

  /** The room's beginning; what waited for it follows. */
  begin(room: string, events: readonly GatewayEvent[]): void {
    const waiting = this.#waiting.get(room) ?? [];
    this.#waiting.delete(room);
    const floor = events.map(({ id }) => id).reduce((a, b) => (isNewer(b, a) ? b : a), '');
    this.#floors.set(room, floor);
    this.#outbox.push(...events);
    for (const event of waiting) this.take(event);
    if (this.#dropped === 0) return;
    this.tell({
      name: 'gap',
      value: { reason: 'overflow', dropped: this.#dropped, cursor: this.#cursor ?? '' },
    });
    this.#dropped = 0;
  }

  /** An event of the stream. */
  take(event: GatewayEvent): void {
    const { room, id } = event;
    if (this.rooms?.has(room) === false) return;
    const waiting = this.#waiting.get(room);
    const floor = this.#floors.get(room);
    if (waiting !== undefined) {
      waiting.push(event);
      if (waiting.length > MAX_WAITING) this.#dropped += waiting.splice(0, 1).length;
    } else if (floor === undefined || isNewer(id, floor)) {
      this.#floors.delete(room);
      this.#outbox.push(event);
    }
  }

  /** It is in the room no longer. */
  leave(room: string): void {
    this.rooms?.delete(room);
    this.#waiting.delete(room);
    this.#floors.delete(room);
  }

  /** All rooms begin anew, by the stream itself: what came before, perhaps of another log, says nothing of what follows. */
  beginAnew(): void {
    this.#floors.clear();
    for (const events of this.#waiting.values()) events.length = 0;
  }

  /** Sends what there is, and where the stream is then. */
  flush(cursor: string | null): void {
    const value = this.#outbox;
    // Of a room that has not begun, the cursor would say what is not so.
    const moved = this.#waiting.size === 0 && cursor !== this.#cursor;
    if (value.length === 0 && !moved) return;
    this.#outbox = [];
    if (moved) this.#cursor = cursor;
    this.tell({ name: 'events', value, cursor: moved ? cursor : null });
  }
}
