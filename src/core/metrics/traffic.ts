/**
 * What sessions of one transport were written, since the process started. Plain numbers, since every write adds to them.
 * Of an event that goes to a hundred sessions, each counts.
 */
export class Traffic {
  /** Events they would have got one by one: those that were written, and those that coalescing left out. */
  owed = 0;
  /** Events written. */
  events = 0;
  /** Writes: bundles, or, to clients that get each event by itself, events. */
  writes = 0;
  /** Bytes of these writes as the wire frames them, without what the connection itself adds (TLS, compression). */
  bytes = 0;

  /** What was written since `earlier`; all of it when that is left out. */
  since(earlier?: Readonly<Traffic>): Traffic {
    const grown = new Traffic();
    grown.owed = this.owed - (earlier?.owed ?? 0);
    grown.events = this.events - (earlier?.events ?? 0);
    grown.writes = this.writes - (earlier?.writes ?? 0);
    grown.bytes = this.bytes - (earlier?.bytes ?? 0);
    return grown;
  }
}
