import { PendingConnections } from './pending-connections.js';

/** Connections for requests that one caller may have for itself. */
const OWN = 500;

/**
 * Holds the connections of known callers that have no session on them. So many of a caller are its own; those beyond are surplus,
 * and make room for others where there is none left: so no caller, whatever its rights, fills a node with requests.
 */
export class CallerConnections<T extends object> {
  readonly #callers = new Map<T, string>();
  readonly #counts = new Map<string, number>();
  /** By caller. */
  readonly #surplus = new PendingConnections<T>();

  /** Adds a connection of a caller. */
  add(connection: T, caller: string): void {
    const count = this.#counts.get(caller) ?? 0;
    if (count >= OWN) return this.#surplus.add(connection, caller);
    this.#counts.set(caller, count + 1);
    this.#callers.set(connection, caller);
  }

  /** Removes a connection: it has a session, or is gone. */
  remove(connection: T): void {
    this.#surplus.remove(connection);
    const caller = this.#callers.get(connection);
    if (caller === undefined) return;
    this.#callers.delete(connection);
    const next = this.#surplus.takeOldest(caller);
    const left = (this.#counts.get(caller) ?? 1) - 1;
    if (next !== undefined) this.#callers.set(next, caller);
    else if (left === 0) this.#counts.delete(caller);
    else this.#counts.set(caller, left);
  }

  /** Removes and returns the oldest surplus connection; undefined when there is none. */
  takeSurplus(): T | undefined {
    return this.#surplus.takeOldest();
  }
}
