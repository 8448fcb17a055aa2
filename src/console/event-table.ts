import type { Gap, GatewayEvent } from '../client/index.js';
import { EventFilter, type EventFilterParts } from './event-filter.js';
import { createEventRow, type Entry } from './event-row.js';
import { FrameBatch } from './frame-batch.js';

/** The elements an event table lives in. */
export interface EventTableParts {
  readonly list: HTMLOListElement;
  /** Shown while the list has no row. */
  readonly emptyNote: HTMLElement;
  readonly filter: EventFilterParts;
  readonly pause: HTMLButtonElement;
}

/** Most rows in the list. */
const MAX_ROWS = 200;
/** Entries kept beyond the shown ones, for a filter that is changed or taken away. */
const MAX_RECENT = 1000;

/**
 * The live list, newest first. Rows are made when the page draws, and only for what will be seen: a thousand events
 * a second cost ten drawings a second, and never more than the bounds in memory.
 */
export class EventTable {
  readonly #parts: EventTableParts;
  readonly #drawing = new FrameBatch(() => {
    this.#draw();
  });
  #recent: Entry[] = [];
  /** What the list shows, newest last. */
  #shown: Entry[] = [];
  /** Entries up to here have been drawn or found not to match. */
  #drawnSeq = 0;
  #seq = 0;
  #isPaused = false;
  readonly #filter: EventFilter;

  constructor(parts: EventTableParts) {
    this.#parts = parts;
    this.#filter = new EventFilter(parts.filter, () => {
      this.#rebuild();
    });
    parts.pause.addEventListener('click', () => {
      this.#isPaused = !this.#isPaused;
      this.#drawing.request();
      this.#labelPause();
    });
    this.#labelPause();
  }

  /** Offers the rooms that this page is in to be filtered by. */
  offerRooms(rooms: readonly string[]): void {
    this.#filter.offerRooms(rooms);
  }

  /** New events, in the order they came. */
  addEvents(events: readonly GatewayEvent[]): void {
    // Of a bundle larger than the memory only the end can ever be shown.
    for (const event of events.slice(-MAX_RECENT)) {
      this.#filter.learn(event);
      this.#add({ kind: 'event', seq: ++this.#seq, event });
    }
  }

  /** A gap: shown whatever the filter says, since a loss is never silent. */
  addGap(gap: Gap): void {
    this.#add({ kind: 'gap', seq: ++this.#seq, at: Date.now() / 1000, gap });
  }

  /** Something that was said about the stream itself. */
  addNotice(text: string): void {
    this.#add({ kind: 'notice', seq: ++this.#seq, at: Date.now() / 1000, text });
  }

  #add(entry: Entry): void {
    this.#recent.push(entry);
    if (this.#recent.length >= MAX_RECENT * 2) this.#recent = this.#recent.slice(-MAX_RECENT);
    this.#drawing.request();
  }

  #draw(): void {
    this.#labelPause();
    if (this.#isPaused) return;
    const fresh = this.#recent.filter((entry) => entry.seq > this.#drawnSeq && this.#matches(entry));
    this.#drawnSeq = this.#seq;
    this.#prepend(fresh.slice(-MAX_ROWS));
  }

  #prepend(entries: readonly Entry[]): void {
    const { list, emptyNote } = this.#parts;
    const rows = entries.map(createEventRow);
    rows.reverse();
    list.prepend(...rows);
    while (list.childElementCount > MAX_ROWS) list.lastElementChild?.remove();
    this.#shown = [...this.#shown, ...entries].slice(-MAX_ROWS);
    emptyNote.hidden = this.#shown.length > 0;
  }

  /** Shows what the changed filter leaves of everything still known; a paused list stays at its moment. */
  #rebuild(): void {
    const oldestSeq = this.#recent[0]?.seq ?? Number.POSITIVE_INFINITY;
    const known = [...this.#shown.filter((entry) => entry.seq < oldestSeq), ...this.#recent];
    const untilSeq = this.#isPaused ? this.#drawnSeq : this.#seq;
    const wanted = known.filter((entry) => entry.seq <= untilSeq && this.#matches(entry));
    this.#drawnSeq = untilSeq;
    this.#shown = [];
    this.#parts.list.replaceChildren();
    this.#prepend(wanted.slice(-MAX_ROWS));
  }

  #matches(entry: Entry): boolean {
    return entry.kind !== 'event' || this.#filter.matches(entry.event);
  }

  #labelPause(): void {
    const { pause } = this.#parts;
    const waiting = this.#isPaused ? this.#seq - this.#drawnSeq : 0;
    pause.dataset['paused'] = String(this.#isPaused);
    pause.textContent = this.#isPaused ? `Resume${waiting > 0 ? ` (${String(waiting)} new)` : ''}` : 'Pause';
  }
}
