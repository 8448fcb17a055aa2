import type { Emitter } from './emitter.js';
import { SeenEvents } from './seen-events.js';
import type { StreamNews } from './stream-parts.js';
import type { GatewayEvent, Welcome } from './wire.js';

/**
 * A cursor that came so long after a join was given after it, ms. Over SSE, join and stream go over different connections,
 * so that a cursor from before the join may come after the join's answer.
 */
const COVERED_MS = 5000;

/** Where a stream is: its rooms, its cursor, and what came already, over all its connections. */
export class StreamPlace {
  readonly #news: Emitter<StreamNews>;
  readonly #seen = new SeenEvents();
  /** The rooms that were joined since the cursor was given, which says nothing of their older values; and when. */
  readonly #joinedAt = new Map<string, number>();
  /** Of these rooms: what something came of since this connection began. */
  readonly #since = new Set<string>();
  #asked: readonly string[] | undefined;
  #rooms: readonly string[];
  #cursor: string | null;

  /** No rooms: the gateway's default rooms. */
  constructor(rooms: readonly string[], cursor: string | null, news: Emitter<StreamNews>) {
    this.#rooms = rooms;
    if (rooms.length > 0) this.#asked = rooms;
    this.#cursor = cursor;
    this.#news = news;
  }

  /** Everything up to there has come. */
  get cursor(): string | null {
    return this.#cursor;
  }

  /** The rooms it is in, or was last. */
  get rooms(): readonly string[] {
    return this.#rooms;
  }

  /** The rooms to ask for; undefined: the gateway's default rooms. */
  get asked(): readonly string[] | undefined {
    return this.#asked;
  }

  /** It is about to join these rooms: those it does not have begin anew. */
  joining(rooms: readonly string[]): void {
    for (const room of rooms) {
      if (this.#rooms.includes(room)) continue;
      this.#seen.forget(room);
      this.#joinedAt.set(room, Date.now());
    }
  }

  /** The rooms it has now; to be asked for when it comes back. */
  roomsChanged(rooms: readonly string[]): void {
    this.#asked = this.#rooms = rooms;
  }

  /** A connection begins. Returns the rooms whose older values the gateway takes for known, and are not. */
  begin({ resumed, rooms }: Welcome): readonly string[] {
    this.#rooms = rooms;
    this.#since.clear();
    if (resumed) return [...this.#joinedAt.keys()];
    // It begins anew: the node may be a moment behind, and what comes after the older values is no double.
    this.#seen.forget();
    this.#joinedAt.clear();
    return [];
  }

  /** Events came; told are those that are new. `signal`: the connection, which a handler may end. */
  take(events: readonly GatewayEvent[], cursor: string | null, signal: AbortSignal): void {
    for (const event of events) {
      if (signal.aborted) return;
      if (this.#joinedAt.has(event.room)) this.#since.add(slotOf(event));
      // Who names no room is in the default rooms, until they are left.
      if (this.#asked?.length !== 0 && this.#seen.add(event.room, event.id)) this.#news.emit('event', event);
    }
    if (cursor === null) return;
    this.#cursor = cursor;
    this.#seen.settle();
    for (const [room, joinedAt] of this.#joinedAt) {
      if (Date.now() - joinedAt > COVERED_MS) this.#joinedAt.delete(room);
    }
  }

  /**
   * The newest values of a room, but for those of which the stream has brought one: it brings the newest, too. They are not
   * noted: an older value of the same thing may still be on its way, and then this one comes once more, after it.
   */
  show(events: readonly GatewayEvent[]): void {
    for (const event of events) {
      const isOld = this.#seen.has(event.room, event.id) || this.#since.has(slotOf(event));
      if (!isOld) this.#news.emit('event', event);
    }
  }
}

/** What an event is a value of; one without a key, of the things that have these properties. */
function slotOf({ room, type, key, data }: GatewayEvent): string {
  return `${room} ${type} ${key ?? String(Object.keys(Object(data) as object))}`;
}
