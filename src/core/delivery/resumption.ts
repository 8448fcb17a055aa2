import type { Clock } from '../clock.js';
import type { Event, LogEntry } from '../event.js';
import { Refusal } from '../errors.js';
import { formatCursor, parseCursor } from '../log/cursor.js';
import { entrySize } from '../log/entry-size.js';
import type { EventLog, LogPage, Loss } from '../log/event-log.js';
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
  /** It may go on from this position of the timeline. */
  | { readonly position: number }
  /** Events after the cursor are gone. */
  | { readonly loss: Loss }
  /** It must try again from this cursor when the log has moved or come back. */
  | { readonly waitAt: string };

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
    let reached = cursor;
    for (let limit = FIRST_PAGE; ; ) {
      const standing = this.#timeline.locate(reached);
      if (typeof standing === 'object') {
        onWhole();
        return standing;
      }
      // The log knows best: it may have been replaced, and this process not have noticed yet.
      const page = await this.#log.readAfter(reached, limit);
      if (page instanceof Refusal) return { waitAt: reached };
      if (page.loss !== null) return { loss: page.loss };
      const last = page.entries[page.entries.length - 1];
      // The place is the log's end, which this process has yet to come to.
      if (last === undefined) return { waitAt: reached };
      onWhole();
      reached = await this.#give(session, reached, page, last.id);
      if (session.state === 'closed') return { waitAt: reached };
      limit = pageAfter(page.entries);
    }
  }

  /** The session's connection can take more, or is gone. */
  wake(session: Session): void {
    this.#waiters.get(session)?.();
    this.#waiters.delete(session);
  }

  /** Gives the session a page that follows `after`; returns the cursor it has reached then. */
  async #give(session: Session, after: string, page: LogPage, lastId: string): Promise<string> {
    const epoch = parseCursor(after)?.epoch ?? '';
    const reached = formatCursor(epoch, lastId);
    // A value that a later page or the timeline supersedes is left out: a client that was cut off between two
    // cursors may have the newer one already, and need not be sent an older one.
    const isSuperseded = (event: Event): boolean =>
      epoch === this.#timeline.epoch && this.#timeline.isSuperseded(event);
    const events = page.entries.flatMap((entry) => this.#timeline.place(entry));
    await this.#write(
      session,
      events.filter((event) => !isSuperseded(event)),
      reached,
    );
    if (session.state !== 'closed') await this.#untilWritable(session);
    return reached;
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
