import type { Event } from '../event.js';

/**
 * What is left of one room's events, oldest first, when of each slot only the newest is kept; events without a
 * slot (policy `append`) all stay. Order stays. The last value of a slot is always in the result.
 */
export function coalesce(events: readonly Event[]): readonly Event[] {
  const newest = new Map<string, Event>();
  for (const event of events) if (event.slot !== null) newest.set(event.slot, event);
  return events.filter((event) => event.slot === null || newest.get(event.slot) === event);
}
