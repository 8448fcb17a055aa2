import type { Clock } from '../clock.js';
import type { Event, LogEntry } from '../event.js';
import { Refusal } from '../errors.js';
import { entrySize } from '../log/entry-size.js';
import type { EventLog } from '../log/event-log.js';
import { coalesce } from './coalesce.js';
import type { Session } from './session.js';
import type { Slicer } from './slicer.js';
import type { Timeline } from './timeline.js';

/** Entries first read from the log; then as many as make up about {@link PAGE_BYTES}. */
const FIRST_PAGE = 16;
const MAX_PAGE = 1000;
/** What a session that is caught up from the log may hold of it, bytes. */
const PAGE_BYTES = 512 * 1024;

/** Where a resumed session came to stand. */
export type Resumed =
  /** It may go on from these positions of the timeline: one for each shard its cursor spoke of. */
  | { readonly places: ReadonlyMap<number, number> }
  /** The log has lost what follows the cursor. */
  | 'lost'
  /** The cursor says nothing of any of the session's rooms. */
  | 'newcomer'
  /** It must try again from `cursor` when the log has moved or come back. */
  | { readonly waitAt: string };

/** What came of reading on from an id. */
type Read = 'read' | 'nothing there' | 'lost' | 'unreachable' | 'closed';

/** A session on its way, shard by shard: the ids it has everything up to, and the next page's size of each. */
interface Way {
  readonly session: Session;
  readonly ids: Map<number, string>;
  /** The cursor of all that. */
  reached: string;
  readonly limits: Map<number, number>;
  readonly onWhole: () => void;
}

/**
 * Takes a returning session from its cursor to where the timeline has it: at once when the timeline still holds
 * that place, else by reading the log, in bundles as fast as the connection takes them.
 */
export class Resumption {
  readonly #log: EventLog;
  readonly #timeline: Timeline;
  readonly #slicer: Slicer;
  readonly #clock: Clock;
  readonly #waiters = new Map<Session, () => void>();

  constructor(log: EventLog, timeline: Timeline, slicer: Slicer, clock: Clock) {
    this.#log = log;
    this.#timeline = timeline;
    this.#slicer = slicer;
    this.#clock = clock;
  }

  /** `onWhole` is called once it is certain that nothing after the cursor is lost, before the first write. */
  async resume(session: Session, cursor: string, onWhole: () => void): Promise<Resumed> {
    const ids = this.#idsFor(session, cursor);
    if (ids === undefined) return 'lost';
    if (ids.size === 0) return 'newcomer';
    const way: Way = { session, ids, reached: cursor, limits: new Map(), onWhole };
    for (let isCertain = false; ; ) {
      const places = this.#locate(ids);
      const away = [...ids.keys()].filter((shard) => !places.has(shard));
      if (away.length === 0) {
        onWhole();
        return { places };
      }
      const read = (isCertain ? undefined : await this.#check(away, way)) ?? (await this.#readAny(away, way));
      isCertain = true;
      if (read === 'lost' && !(await this.#isAhead(ids))) return 'lost';
      if (read !== 'read') return { waitAt: way.reached };
    }
  }

  /** The ids of the cursor that speak of the session's rooms; undefined when it is none of this log's. */
  #idsFor(session: Session, cursor: string): Map<number, string> | undefined {
    const { shards } = this.#timeline;
    const spoken = shards.idsIn(cursor);
    if (spoken === undefined) return undefined;
    const rooms = [...session.rooms.keys()].filter((room) => !session.newcomerIn.has(room));
    const wanted = new Set(rooms.map((room) => shards.ofRoom(room)));
    return new Map([...spoken].filter(([shard]) => rooms.length === 0 || wanted.has(shard)));
  }

  /**
   * True while this process has yet to come to what the client has of some shard. Begun anew after a gap of another, the
   * session would be shown values of that shard older than it has.
   */
  async #isAhead(ids: ReadonlyMap<number, string>): Promise<boolean> {
    if (ids.size === 1) return false;
    for (const id of ids.values()) {
      if (this.#timeline.locate(id) !== 'ahead') continue;
      const page = await this.#log.readAfter(id, 1);
      if (page instanceof Refusal || page.whole) return true;
    }
    return false;
  }

  /** The positions of those ids that the timeline holds, by shard. */
  #locate(ids: ReadonlyMap<number, string>): Map<number, number> {
    const places = new Map<number, number>();
    for (const [shard, id] of ids) {
      const standing = this.#timeline.locate(id);
      if (typeof standing === 'object') places.set(shard, standing.position);
    }
    return places;
  }

  /** Before anything is written from one of several shards: whether another has lost its place. */
  async #check(away: readonly number[], { ids }: Way): Promise<Read | undefined> {
    if (away.length === 1) return undefined;
    for (const shard of away) {
      const page = await this.#log.readAfter(ids.get(shard) ?? '', 1);
      if (page instanceof Refusal) return 'unreachable';
      if (!page.whole) return 'lost';
    }
    return undefined;
  }

  /** Gives the session the next page of the first of the shards that has one. */
  async #readAny(away: readonly number[], way: Way): Promise<Read> {
    for (const shard of away) {
      const read = await this.#readPage(shard, way);
      if (read !== 'nothing there') return read;
    }
    return 'nothing there';
  }

  async #readPage(shard: number, way: Way): Promise<Read> {
    const { session, ids, limits, onWhole } = way;
    const page = await this.#log.readAfter(ids.get(shard) ?? '', limits.get(shard) ?? FIRST_PAGE);
    if (page instanceof Refusal) return 'unreachable';
    if (!page.whole) return 'lost';
    const last = page.entries[page.entries.length - 1];
    if (last === undefined) return 'nothing there';
    onWhole();
    ids.set(shard, last.id);
    // A value that a later page or the timeline supersedes is left out: a client that was cut off between two
    // cursors may have the newer one already, and would take this one for newer still.
    const events = page.entries
      .flatMap((entry) => this.#timeline.place(entry))
      .filter((event) => !this.#timeline.isSuperseded(event));
    way.reached = this.#timeline.shards.cursorOf([...ids.values()]);
    await this.#write(session, events, way.reached);
    if (session.state === 'closed') return 'closed';
    limits.set(shard, pageAfter(page.entries));
    await this.#untilWritable(session);
    return 'read';
  }

  /** The session's connection can take more, or is gone. */
  wake(session: Session): void {
    this.#waiters.get(session)?.();
    this.#waiters.delete(session);
  }

  async #write(session: Session, events: readonly Event[], cursor: string): Promise<void> {
    const resumed = new Set<string>();
    for (const [room, since] of session.rooms) {
      if (since === Infinity && !session.newcomerIn.has(room)) resumed.add(room);
    }
    const slices = [...resumed].flatMap((room) =>
      this.#slicer.pack(coalesce(events.filter((event) => event.room === room)), 0, cursor),
    );
    for (const [index, slice] of slices.entries()) {
      await this.#untilWritable(session);
      if (session.state === 'closed') return;
      session.stalledAt = null;
      // A room that was joined meanwhile is not covered before its snapshot was given.
      const isWhole =
        index === slices.length - 1 && [...session.rooms.keys()].every((room) => resumed.has(room));
      session.deliver([slice], isWhole ? cursor : null);
    }
  }

  async #untilWritable(session: Session): Promise<void> {
    while (!session.outlet.writable && session.state !== 'closed') {
      session.stalledAt ??= this.#clock.elapsed();
      await new Promise<void>((resolve) => {
        this.#waiters.set(session, resolve);
      });
    }
  }
}

/** How many entries like these make up a page. */
function pageAfter(entries: readonly LogEntry[]): number {
  const bytes = entries.reduce((sum, entry) => sum + entrySize(entry), 0);
  return Math.max(1, Math.min(MAX_PAGE, Math.floor((PAGE_BYTES * entries.length) / bytes)));
}
