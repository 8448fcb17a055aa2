import type { Clock } from '../clock.js';
import type { Counters } from '../metrics/counters.js';
import { isSampled, type Span, type Tracing } from '../tracing.js';
import type { Timeline } from './timeline.js';

/** Most events whose flush is waited for, and most of which it is remembered until it is known who published them. */
const MAX_EVENTS = 1000;
/** Most events of one flush that are looked at, the newest. */
const MAX_LOOKS = 2000;

/** What {@link DeliveryTraces} work with. */
export interface DeliveryTracesParts {
  readonly tracing: Tracing;
  readonly clock: Clock;
  readonly counters: Counters;
}

/** When a flush was, ms since the epoch. */
interface Flush {
  readonly beganAt: number;
  readonly endedAt: number;
}

/** An event that a flush took to its rooms. */
interface Taken {
  readonly flush: Flush;
  readonly rooms: readonly string[];
}

/**
 * Joins the publications of this node with the flushes that take their events to their rooms: a span `deliver` for each
 * publication and flush. An event may be flushed before its publisher is told its id, or long after.
 *
 * Counts `traces_dropped`: events whose delivery was not traced, since too many awaited it.
 */
export class DeliveryTraces {
  readonly #parts: DeliveryTracesParts;
  /** The spans that published events, by the events' ids. */
  readonly #awaited = new Map<string, string>();
  /** Flushes of events that somebody may have published who does not know their ids yet. */
  readonly #early = new Map<string, Taken>();
  /** Publications whose events have no ids yet. */
  #open = 0;

  constructor(parts: DeliveryTracesParts) {
    this.#parts = parts;
  }

  /** A publication begins; call what it returns with the ids of its events, none where it failed. */
  publishing(span: Span): (ids: readonly string[]) => void {
    const { traceparent } = span;
    if (!isSampled(traceparent)) return nothing;
    this.#open += 1;
    return (ids) => {
      this.#open -= 1;
      this.#published(ids, traceparent);
      if (this.#open === 0) this.#early.clear();
    };
  }

  /** A flush took its rooms from position `from` to position `to`; it took `tookMs`, and ends now. */
  flushed(timeline: Timeline, from: number, to: number, tookMs: number): void {
    if (this.#awaited.size === 0 && this.#open === 0) return;
    const endedAt = this.#parts.clock.now();
    const flush: Flush = { beganAt: endedAt - tookMs, endedAt };
    const taken = new Map<string, Taken[]>();
    for (const { id, isNew, rooms } of timeline.entriesBetween(Math.max(from, to - MAX_LOOKS), to)) {
      const traceparent = isNew ? this.#awaited.get(id) : undefined;
      if (traceparent !== undefined) {
        this.#awaited.delete(id);
        group(taken, traceparent, { flush, rooms });
      } else if (isNew && this.#open > 0) {
        // What gives way here is most likely of another node.
        keep(this.#early, id, { flush, rooms });
      }
    }
    for (const [traceparent, events] of taken) this.#tell(traceparent, events);
  }

  #published(ids: readonly string[], traceparent: string): void {
    const taken = new Map<Flush, Taken[]>();
    for (const id of ids) {
      const early = this.#early.get(id);
      if (early === undefined) {
        if (!keep(this.#awaited, id, traceparent)) this.#parts.counters.add('traces_dropped');
      } else {
        this.#early.delete(id);
        group(taken, early.flush, early);
      }
    }
    for (const events of taken.values()) this.#tell(traceparent, events);
  }

  /** Events of one publication that one flush took. */
  #tell(parent: string, events: readonly Taken[]): void {
    const [first] = events;
    if (first === undefined) return;
    const rooms = new Set(events.flatMap((event) => event.rooms)).size;
    const attributes = { 'flipgate.events': events.length, 'flipgate.rooms': rooms };
    const { beganAt, endedAt } = first.flush;
    const span = this.#parts.tracing.begin('deliver', { kind: 'consumer', parent, at: beganAt, attributes });
    span.end({ at: endedAt });
  }
}

function group<Key>(groups: Map<Key, Taken[]>, key: Key, event: Taken): void {
  const known = groups.get(key);
  if (known === undefined) groups.set(key, [event]);
  else known.push(event);
}

/** The oldest gives way where there are too many: nobody may ever come for it. False when one did. */
function keep<Value>(kept: Map<string, Value>, id: string, value: Value): boolean {
  kept.set(id, value);
  const [oldest] = kept.keys();
  return kept.size <= MAX_EVENTS || oldest === undefined || !kept.delete(oldest);
}

function nothing(): void {}
