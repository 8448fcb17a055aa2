import { Refusal } from '../errors.js';
import type { Event } from '../event.js';
import { formatCursor } from '../log/cursor.js';
import type { Timeline } from './timeline.js';

/** A part of a room's history. */
export interface RoomPage {
  /** Oldest first. */
  readonly events: readonly Event[];
  /** False when events right after the cursor are gone. */
  readonly whole: boolean;
  /** Where to read on. */
  readonly cursor: string;
}

/** The newest values of a room. */
export interface RoomState {
  /** The newest event of each slot, oldest first. */
  readonly events: readonly Event[];
  /** The log's epoch. */
  readonly epoch: string;
  /** The cursor as of which these are the newest. */
  readonly cursor: string;
}

/** Tells the content of rooms to clients that ask for it instead of listening. */
export class RoomReader {
  readonly #timeline: Timeline;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  /** The newest values of a room. Refuses with `not_ready` until the log has been read. */
  state(room: string): RoomState | Refusal {
    if (!this.#timeline.isCaughtUp) return notReady();
    const { epoch, headCursor: cursor } = this.#timeline;
    return { events: this.#timeline.latest(room), epoch, cursor };
  }

  /**
   * Up to `limit` events of a room after `cursor` (null: the oldest there are), and whether that is whole. Refuses with
   * `not_ready` until the log has been read.
   */
  history(room: string, cursor: string | null, limit: number): RoomPage | Refusal {
    if (!this.#timeline.isCaughtUp) return notReady();
    const { epoch, head, headCursor } = this.#timeline;
    const standing = cursor === null ? { position: 0 } : this.#timeline.locate(cursor);
    if (standing === 'ahead' && cursor !== null) return { events: [], whole: true, cursor };
    const isHeld = typeof standing === 'object';
    const from = isHeld ? standing.position : 0;
    const events = this.#timeline.between(room, from, head, limit);
    const last = events.length === limit ? events[limit - 1] : undefined;
    return {
      events,
      whole: isHeld && this.#timeline.isWhole(room, from),
      cursor: last === undefined ? headCursor : formatCursor(epoch, last.id),
    };
  }
}

function notReady(): Refusal {
  return new Refusal('not_ready', 'the event log is still being read', 1000);
}
