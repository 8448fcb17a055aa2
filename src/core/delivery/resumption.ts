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
  /** It may go on from this position of the timeline. */
  | { readonly position: number }
  /** The log has lost what follows the cursor. */
  | 'lost'
  /** It must try again from `cursor` when the log has moved or come back. */
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
    let limit = FIRST_PAGE;
    for (let at = cursor; ; ) {
      const standing = this.#timeline.locate(at);
      if (typeof standing === 'object') {
        onWhole();
        return standing;
      }
      const page = await this.#log.readAfter(at, limit);
      if (page instanceof Refusal) return { waitAt: at };
      if (!page.whole) return 'lost';
      const last = page.entries[page.entries.length - 1];
      if (last === undefined) return { waitAt: at };
      onWhole();
      await this.#write(
        session,
        // A value that a later page or the timeline supersedes is left out: a client that was cut off between two
        // cursors may have the newer one already, and would take this one for newer still.
        page.entries
          .flatMap((entry) => this.#timeline.place(entry))
          .filter((event) => !this.#timeline.isSuperseded(event)),
        last.id,
      );
      if (session.state === 'closed') return { waitAt: at };
      at = last.id;
      limit = pageAfter(page.entries);
      await this.#untilWritable(session);
    }
  }

  /** The session's connection can take more, or is gone. */
  wake(session: Session): void {
    this.#waiters.get(session)?.();
    this.#waiters.delete(session);
  }

  async #write(session: Session, events: readonly Event[], cursor: string): Promise<void> {
    const resumed = new Set([...session.rooms.keys()].filter((room) => session.rooms.get(room) === Infinity));
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
      session.outlet.deliver([slice], isWhole ? cursor : null);
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
