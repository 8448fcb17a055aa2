import type { Event } from '../event.js';
import { coalesce } from './coalesce.js';

/** What is left of what awaits a session that fell too far behind. */
export interface Backlog {
  /** Oldest first. */
  readonly events: readonly Event[];
  /** Append events that were left out, the oldest. */
  readonly dropped: number;
}

/** Most of what may await one session. */
export interface BacklogLimits {
  readonly maxEvents: number;
  readonly maxBytes: number;
}

/**
 * Shortens what awaits a session: of each slot of each room the newest value stays, whatever the limits; of the
 * append events, as many of the newest as fit beside them. Pure.
 * @param events Of any rooms, each room's in order.
 * @param limits Most events, and most bytes by `size`.
 */
export function shorten(
  events: readonly Event[],
  limits: BacklogLimits,
  size: (event: Event) => number,
): Backlog {
  const awaiting = byRoom(events)
    .flatMap((room) => coalesce(room))
    .sort((a, b) => a.position - b.position);
  let count = awaiting.length;
  let bytes = awaiting.reduce((sum, event) => sum + size(event), 0);
  let dropped = 0;
  const left = awaiting.filter((event) => {
    if (event.slot !== null || (count <= limits.maxEvents && bytes <= limits.maxBytes)) return true;
    count -= 1;
    bytes -= size(event);
    dropped += 1;
    return false;
  });
  return { events: left, dropped };
}

function byRoom(events: readonly Event[]): Event[][] {
  const rooms = new Map<string, Event[]>();
  for (const event of events) {
    const room = rooms.get(event.room);
    if (room === undefined) rooms.set(event.room, [event]);
    else room.push(event);
  }
  return [...rooms.values()];
}
