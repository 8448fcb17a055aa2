/** Events remembered at least, before those since the last cursor. */
const KEPT = 1000;
/** Most events remembered since the last cursor; far more than a gateway sends between two. */
const MOST = 50_000;

/**
 * Which events came already, by room and id: a stream that goes on from its cursor repeats what came after that. Bounded:
 * all since the last cursor, and the thousand before.
 */
export class SeenEvents {
  #newer = new Set<string>();
  #older = new Set<string>();

  has(room: string, id: string): boolean {
    const name = `${room} ${id}`;
    return this.#newer.has(name) || this.#older.has(name);
  }

  /** Remembers an event; true when it is new. */
  add(room: string, id: string): boolean {
    if (this.has(room, id)) return false;
    this.#newer.add(`${room} ${id}`);
    if (this.#newer.size > MOST) this.#age();
    return true;
  }

  /** A cursor came: nothing before it will be repeated. */
  settle(): void {
    if (this.#newer.size > KEPT) this.#age();
  }

  /** Forgets a room, which begins anew, or all of them. */
  forget(room?: string): void {
    for (const names of [this.#newer, this.#older]) {
      for (const name of names) if (room === undefined || name.startsWith(`${room} `)) names.delete(name);
    }
  }

  #age(): void {
    this.#older = this.#newer;
    this.#newer = new Set();
  }
}
