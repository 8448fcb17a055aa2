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
const MAX_KEPT_SLICES = 64;

/** A room's news, for all of its sessions at once that stand anywhere from `from` to `upTo`: they lack the same. */
export interface RoomNews {
  readonly from: number;
  readonly upTo: number;
  /** One slice. */
  readonly slices: readonly Slice[];
  /** The slice's cursor. */
  readonly cursor: string;
}

/** Cuts slices out of the timeline and keeps them for the time of a flush, so that sessions share them. */
export class Slicer {
  readonly #timeline: Timeline;
  readonly #slices = new Map<string, Slice>();
  readonly #snapshots = new Map<string, readonly Slice[]>();
  readonly #backlogs = new Map<string, Backlog>();
  /** Names of lists of events that sessions are owed: the same list, the same name. */
  readonly #names = new WeakMap<readonly Event[], string>();
  #named = 0;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  /**
   * The room's events with positions in `[from, to)`, coalesced; undefined when there are none. The slice may end
   * before `to` when there is too much for one write.
   */
  slice(room: string, from: number, to: number): Slice | undefined {
    if (!this.#timeline.hasNews(room, from)) return undefined;
    const [first] = this.#timeline.between(room, from, to, 1);
    if (first === undefined) return undefined;
    // Sessions that stand at different places of the log but need the same events of this room share the slice.
    const name = `${room} ${String(first.position)} ${String(to)}`;
    return kept(this.#slices, name, () => this.#cut(room, first.position, to));
  }

  #cut(room: string, from: number, to: number): Slice {
    const raw = this.#timeline.between(room, from, to, MAX_RAW_EVENTS);
    const events = coalesce(raw);
    const count = fitting(events, 0);
    const whole = count === events.length;
    const end = whole ? (raw.length < MAX_RAW_EVENTS ? to : endOf(raw, raw.length)) : endOf(events, count);
    // What a later slice supersedes is left out: a client that was cut off between two cursors may have the newer value
    // already, and would take this one for newer still.
    const isLast = whole && raw.length < MAX_RAW_EVENTS;
    const left = isLast
      ? events
      : events.slice(0, count).filter((event) => !this.#timeline.isSuperseded(event));
    const covers = whole ? raw.length : raw.filter(({ position }) => position < end).length;
    return new Slice(left, end, this.#timeline.cursorAt(end), covers);
  }

  /** What the room was sent in `[since, to)`, if one write carries it all. */
  news(room: string, since: number, to: number): RoomNews | undefined {
    const slice = this.slice(room, since, to);
    if (slice === undefined || slice.end !== to) return undefined;
    const [first] = this.#timeline.between(room, since, to, 1);
    const from = this.#timeline.endBefore(room, since);
    return { from, upTo: first?.position ?? since, slices: [slice], cursor: slice.cursor };
  }

  /** The newest event of each of the room's slots, in slices small enough for one write each. */
  snapshot(room: string): readonly Slice[] {
    const { head } = this.#timeline;
    return kept(this.#snapshots, `${room} ${String(head)}`, () =>
      this.pack(this.#timeline.latest(room), head, this.#timeline.cursorAt(head)),
    );
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

  /** The next of what a session is owed, as one write; shared by those that are owed the same. */
  payment({ owed, paid, position }: Session, cursor: string): Slice {
    const name = `${this.#nameOf(owed)} ${String(paid)} ${cursor}`;
    return kept(this.#slices, name, () => {
      const count = fitting(owed, paid);
      return new Slice(owed.slice(paid, paid + count), position, cursor);
    });
  }

  /** What is left of what a session is owed and lacks up to `to`; shared by sessions that stand at the same place. */
  shorten({ owed, paid, rooms, position }: Session, to: number, limits: BacklogLimits): Backlog {
    const lacks = `${[...rooms].join(' ')} ${String(position)} ${String(to)} ${String(limits.maxEvents)}`;
    return kept(this.#backlogs, `${this.#nameOf(owed)} ${String(paid)} ${lacks}`, () => {
      const lacked = [...rooms].flatMap(([room, since]) => [
        ...this.#timeline.between(room, Math.max(position, since), to, Infinity),
      ]);
      return shorten([...owed.slice(paid), ...lacked], limits, entrySize);
    });
  }

  /** Lets go of the kept slices and their frames. */
  forget(): void {
    this.#backlogs.clear();
    this.#slices.clear();
    this.#snapshots.clear();
  }

  #nameOf(owed: readonly Event[]): string {
    let name = this.#names.get(owed);
    if (name === undefined) this.#names.set(owed, (name = `owed-${String(this.#named++)}`));
    return name;
  }
}

/** How many events from index `from` on fit in one slice; at least one. */
function fitting(events: readonly Event[], from: number): number {
  let bytes = 0;
  let count = 0;
  for (let index = from; index < events.length && count < MAX_SLICE_EVENTS; index += 1) {
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

/** What is kept under the name, made now where there is none. */
function kept<Kept>(all: Map<string, Kept>, name: string, make: () => Kept): Kept {
  const known = all.get(name);
  if (known !== undefined) return known;
  const made = make();
  if (all.size >= MAX_KEPT_SLICES) for (const oldest of all.keys()) if (all.delete(oldest)) break;
  all.set(name, made);
  return made;
}
