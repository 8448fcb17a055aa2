import type { Emitter } from './emitter.js';
import { isNewer } from './event-id.js';
import { SeenEvents } from './seen-events.js';
import type { StreamNews } from './stream-parts.js';
import type { Gap, GatewayEvent, RoomState, Welcome } from './wire.js';

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

  /** It is about to join these rooms: those it does not have begin anew, and are shown whole. */
  joining(rooms: readonly string[]): void {
    for (const room of rooms) {
      if (this.#rooms.includes(room)) continue;
      this.#seen.repeat(room);
      this.#joinedAt.set(room, Date.now());
    }
  }

  /** The rooms it has now; to be asked for when it comes back. */
  roomsChanged(rooms: readonly string[]): void {
    this.#asked = this.#rooms = rooms;
  }

  /** A connection begins. Returns the rooms whose older values the gateway takes for known, and are not. */
  begin({ resumed, rooms, epoch }: Welcome): readonly string[] {
    this.#rooms = rooms;
    this.#seen.enter(epoch);
    if (resumed) {
      this.#seen.goOn(this.#joinedAt);
      return [...this.#joinedAt.keys()];
    }
    this.#seen.repeat();
    this.#joinedAt.clear();
    return [];
  }

  /** Something is missing; unless only this client was too slow, the newest values of all rooms follow. */
  missed({ reason, epoch }: Gap): void {
    // A log that went back, as a restored one, may still have its epoch.
    if (reason === 'unknown_cursor') this.#seen.forget();
    this.#seen.enter(epoch);
    if (reason !== 'overflow') this.#seen.repeat();
  }

  /** Events came; told are those that are new. `signal`: the connection, which a handler may end. */
  take(events: readonly GatewayEvent[], cursor: string | null, signal: AbortSignal): void {
    for (const event of events) {
      if (signal.aborted) return;
      // Who names no room is in the default rooms, until they are left.
      const isPartial = this.#joinedAt.has(event.room);
      if (this.#asked?.length === 0 || !this.#seen.add(event, isPartial)) continue;
      if (isPartial) this.#seen.repeatNewer(event);
      this.#news.emit('event', event);
    }
    if (cursor === null) return;
    this.#cursor = cursor;
    for (const [room, joinedAt] of this.#joinedAt) {
      if (Date.now() - joinedAt > COVERED_MS) this.#joinedAt.delete(room);
    }
  }

  /**
   * Tells the newest values of a room, but for those that came, or that came newer. False, and nothing is told, when they are of
   * another log, or, unless `isLate`, of a node that has not read as far as the stream: then they are to be asked for again.
   */
  show({ events, epoch, cursor }: RoomState, isLate = false): boolean {
    const isBehind = isNewer(idOf(this.#cursor), idOf(cursor)) || this.#seen.isAheadOf(events);
    if ((isBehind && !isLate) || !this.#seen.isOf(epoch)) return false;
    for (const event of events) if (this.#seen.add(event, true)) this.#news.emit('event', event);
    return true;
  }
}

/** The id in a cursor, `<epoch>.<id>`. Source: core/log/cursor.ts. */
function idOf(cursor: string | null): string {
  return cursor?.split('.').at(-1) ?? '';
}
