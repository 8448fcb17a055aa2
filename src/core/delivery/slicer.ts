import type { Event } from '../event.js';
import { entrySize } from '../log/entry-size.js';
import { type Backlog, type BacklogLimits, shorten } from './backlog.js';
import { coalesce } from './coalesce.js';
import type { Session } from './session.js';
import { Slice } from './slice.js';
import type { Timeline } from './timeline.js';

/** Most events that are coalesced at once: a bound on the time it takes. */
const MAX_RAW_EVENTS = 4000;
/** Most events in one slice. */
export const MAX_SLICE_EVENTS = 1000;
/** Most bytes in one slice, unless a single event is larger: a bound on what one write hands to a connection. */
export const MAX_SLICE_BYTES = 256 * 1024;
/** Slices kept between two calls of {@link Slicer.forget}. */
const MAX_KEPT_SLICES = 256;

/** A room's news, for all of its sessions at once that stand anywhere from `from` to `upTo`: they lack the same. */
export interface RoomNews {
  readonly from: number;
  readonly upTo: number;
  /** One slice. */
  readonly slices: readonly Slice[];
  /** Events in it. */
  readonly events: number;
  /** The slice's cursor. */
  readonly cursor: string;
}

/** Cuts slices out of the timeline and keeps them for the time of a flush, so that sessions share them. */
export class Slicer {
  readonly #timeline: Timeline;
  readonly #slices = new Map<string, Slice>();
  readonly #snapshots = new Map<string, readonly Slice[]>();
  readonly #backlogs = new Map<string, Backlog>();

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  /**
   * The room's events with positions in `[from, to)`, coalesced; undefined when there are none. The slice may end
   * before `to` when there is too much for one write, or are more than `maxEvents`.
   */
  slice(room: string, from: number, to: number, maxEvents = MAX_SLICE_EVENTS): Slice | undefined {
    if (!this.#timeline.hasNews(room, from)) return undefined;
    const raw = this.#timeline.between(room, from, to, MAX_RAW_EVENTS);
    const first = raw[0];
    const last = raw[raw.length - 1];
    if (first === undefined || last === undefined) return undefined;
    // Sessions that stand at different places of the log but need the same events of this room share the slice.
    const name = `${room} ${String(first.position)} ${String(to)} ${String(maxEvents)}`;
    const known = this.#slices.get(name);
    if (known !== undefined) return known;
    const events = coalesce(raw);
    const count = fitting(events, 0, maxEvents);
    const whole = count === events.length;
    const end = whole ? (raw.length < MAX_RAW_EVENTS ? to : last.position + 1) : endOf(events, count);
    // What a later slice supersedes is left out: a client that was cut off between two cursors may have the newer value
    // already, and would take this one for newer still.
    const isLast = whole && raw.length < MAX_RAW_EVENTS;
    const kept = isLast
      ? events
      : events.slice(0, count).filter((event) => !this.#timeline.isSuperseded(event));
    const slice = new Slice(kept, end, this.#timeline.cursorAt(end));
    keep(this.#slices, name, slice);
    return slice;
  }

  /** What the room was sent in `[since, to)`, if one write carries it all. */
  news(room: string, since: number, to: number): RoomNews | undefined {
    const slice = this.slice(room, since, to);
    if (slice === undefined || slice.end !== to) return undefined;
    const [first] = this.#timeline.between(room, since, to, 1);
    const from = this.#timeline.endBefore(room, since);
    const events = slice.events.length;
    return { from, upTo: first?.position ?? since, slices: [slice], cursor: slice.cursor, events };
  }

  /** The newest event of each of the room's slots, in slices small enough for one write each. */
  snapshot(room: string): readonly Slice[] {
    const head = this.#timeline.head;
    const name = `${room} ${String(head)}`;
    const kept = this.#snapshots.get(name);
    if (kept !== undefined) return kept;
    const snapshot = this.pack(this.#timeline.latest(room), head, this.#timeline.headCursor);
    keep(this.#snapshots, name, snapshot);
    return snapshot;
  }

  /** Events packed into slices small enough for one write each. */
  pack(events: readonly Event[], end: number, cursor: string): readonly Slice[] {
    const slices: Slice[] = [];
    for (let from = 0; from < events.length; ) {
      const count = fitting(events, from);
      slices.push(new Slice(events.slice(from, from + count), end, cursor));
      from += count;
    }
    return slices;
  }

  /** The first of `events` that fit in one write of at most `maxEvents`; at least one. */
  first(events: readonly Event[], maxEvents: number, end: number, cursor: string): Slice {
    return new Slice(events.slice(0, fitting(events, 0, maxEvents)), end, cursor);
  }

  /** What is left of what a session is owed and lacks up to `to`; shared by sessions that stand at the same place. */
  shorten({ owed, rooms, position }: Session, to: number, limits: BacklogLimits): Backlog {
    const lacked = (): Event[] =>
      [...rooms].flatMap(([room, since]) => [
        ...this.#timeline.between(room, Math.max(position, since), to, Infinity),
      ]);
    if (owed.length > 0) return shorten([...owed, ...lacked()], limits, entrySize);
    const name = `${[...rooms].join(' ')} ${String(position)} ${String(to)} ${String(limits.maxEvents)}`;
    const kept = this.#backlogs.get(name);
    if (kept !== undefined) return kept;
    const backlog = shorten(lacked(), limits, entrySize);
    keep(this.#backlogs, name, backlog);
    return backlog;
  }

  /** Lets go of the kept slices and their frames. */
  forget(): void {
    this.#backlogs.clear();
    this.#slices.clear();
    this.#snapshots.clear();
  }
}

/** How many events from index `from` on fit in one slice; at least one. */
function fitting(events: readonly Event[], from: number, maxEvents = MAX_SLICE_EVENTS): number {
  let bytes = 0;
  let count = 0;
  for (let index = from; index < events.length && count < maxEvents; index += 1) {
    bytes += entrySize(events[index] as Event);
    if (bytes > MAX_SLICE_BYTES && count > 0) break;
    count += 1;
  }
  return count;
}

/** The position right after the first `count` events. */
function endOf(events: readonly Event[], count: number): number {
  return (events[count - 1] as Event).position + 1;
}

function keep<Kept>(kept: Map<string, Kept>, name: string, value: Kept): void {
  if (kept.size >= MAX_KEPT_SLICES) for (const oldest of kept.keys()) if (kept.delete(oldest)) break;
  kept.set(name, value);
}
