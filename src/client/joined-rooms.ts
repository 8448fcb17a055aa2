/**
 * A cursor that came so long after a join was given after it, ms. Over SSE, join and stream go over different connections,
 * so that a cursor from before the join may come after the join's answer.
 */
const COVERED_MS = 5000;

/** The rooms that were joined since the cursor was given, which says nothing of their older values. */
export class JoinedRooms {
  readonly #joinedAt = new Map<string, number>();

  get names(): readonly string[] {
    return [...this.#joinedAt.keys()];
  }

  add(room: string): void {
    this.#joinedAt.set(room, Date.now());
  }

  /** A cursor came. */
  settle(): void {
    for (const [room, joinedAt] of this.#joinedAt) {
      if (Date.now() - joinedAt > COVERED_MS) this.#joinedAt.delete(room);
    }
  }

  /** All rooms began anew. */
  clear(): void {
    this.#joinedAt.clear();
  }
}
