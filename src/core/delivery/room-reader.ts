import type { Refusal } from '../errors.js';
import type { Event } from '../event.js';
import type { ShardInterest } from './shard-interest.js';
import type { Timeline } from './timeline.js';

/** A stretch of a room's history. */
export interface RoomPage {
  /** Oldest first. */
  readonly events: readonly Event[];
  /** False when events right after the cursor are gone. */
  readonly whole: boolean;
  /** Where to read on. */
  readonly cursor: string;
}

/** Rooms as those see them who ask instead of listening. */
export class RoomReader {
  readonly #timeline: Timeline;

  readonly #interest: ShardInterest;

  constructor(timeline: Timeline, interest: ShardInterest) {
    this.#timeline = timeline;
    this.#interest = interest;
  }

  /** To be awaited before asking for a room: resolves when it can be told, refuses when it can't. */
  whenReady(room: string): Promise<Refusal | undefined> {
    return this.#interest.whenReady(room);
  }

  /** The newest value of each slot of a room, and the cursor it is as of. */
  state(room: string): { readonly events: readonly Event[]; readonly cursor: string } {
    return { events: this.#timeline.latest(room), cursor: this.#headCursor(room) };
  }

  /** Up to `limit` events of a room after `cursor` (null: the oldest there are), and whether that is whole. */
  history(room: string, cursor: string | null, limit: number): RoomPage {
    const shards = this.#timeline.shards;
    const id = cursor === null ? undefined : shards.idsIn(cursor)?.get(shards.ofRoom(room));
    const standing = cursor === null ? { position: 0 } : this.#timeline.locate(id ?? '');
    if (standing === 'ahead' && cursor !== null) return { events: [], whole: true, cursor };
    const from = typeof standing === 'object' ? standing.position : 0;
    const whole = standing !== 'lost' && this.#timeline.isWhole(room, from);
    const events = this.#timeline.between(room, from, this.#timeline.head, limit);
    const last = events.length === limit ? events[limit - 1] : undefined;
    return {
      events,
      whole,
      cursor: last === undefined ? this.#headCursor(room) : shards.cursorOf([last.id]),
    };
  }

  #headCursor(room: string): string {
    const { head, scopes } = this.#timeline;
    return this.#timeline.cursorAt(head, scopes.ofRoom(room));
  }
}
