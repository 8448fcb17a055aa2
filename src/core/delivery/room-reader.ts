import { Refusal } from '../errors.js';
import type { Event } from '../event.js';
import { formatCursor } from '../log/cursor.js';
import { entrySize } from '../log/entry-size.js';
import type { Timeline } from './timeline.js';

/** Most bytes of the events of a page, unless the first has more. */
const MAX_PAGE_BYTES = 1024 * 1024;

/** A part of a room's history. */
export interface RoomPage {
  /** Oldest first. */
  readonly events: readonly Event[];
  /** False when events right after the cursor are gone. */
  readonly whole: boolean;
  /** True when the room was sent more after these. */
  readonly more: boolean;
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
   * Up to `limit` events of a room after `cursor` (null: the oldest there are), fewer where these have more than
   * {@link MAX_PAGE_BYTES}. Refuses with `not_ready` until the log has been read.
   */
  history(room: string, cursor: string | null, limit: number): RoomPage | Refusal {
    if (!this.#timeline.isCaughtUp) return notReady();
    const { epoch, head, headCursor } = this.#timeline;
    const standing = cursor === null ? { position: 0 } : this.#timeline.locate(cursor);
    if (standing === 'ahead' && cursor !== null) return { events: [], whole: true, more: false, cursor };
    const isHeld = typeof standing === 'object';
    const from = isHeld ? standing.position : 0;
    const found = this.#timeline.between(room, from, head, limit + 1);
    const events = found.slice(0, Math.min(limit, fitting(found)));
    const last = events.length < found.length ? events.at(-1) : undefined;
    return {
      events,
      whole: isHeld && this.#timeline.isWhole(room, from),
      more: last !== undefined,
      cursor: last === undefined ? headCursor : formatCursor(epoch, last.id),
    };
  }
}

/** How many events from the first on go into a page: at least one. */
function fitting(events: readonly Event[]): number {
  let bytes = 0;
  const end = events.findIndex((event, index) => {
    bytes += entrySize(event);
    return bytes > MAX_PAGE_BYTES && index > 0;
  });
  return end === -1 ? events.length : end;
}

function notReady(): Refusal {
  return new Refusal('not_ready', 'the event log is still being read', 1000);
}
