/**
 * Holds the connections whose clients have not signed in, the oldest first, in all and by address. Whoever bounds them
 * closes the oldest for a new one: silent connections keep nobody out.
 */
export class PendingConnections<T extends object> {
  readonly #addresses = new Map<T, string>();
  readonly #byAddress = new Map<string, Set<T>>();

  /** How many there are. */
  get size(): number {
    return this.#addresses.size;
  }

  /** How many there are from one address. */
  countOf(address: string): number {
    return this.#byAddress.get(address)?.size ?? 0;
  }

  /** Whether this connection's client has not signed in. */
  has(connection: T): boolean {
    return this.#addresses.has(connection);
  }

  /** Adds a connection as the newest. */
  add(connection: T, address: string): void {
    this.remove(connection);
    this.#addresses.set(connection, address);
    const same = this.#byAddress.get(address);
    if (same === undefined) this.#byAddress.set(address, new Set([connection]));
    else same.add(connection);
  }

  /** Removes a connection: its client has signed in, or is gone. */
  remove(connection: T): void {
    const address = this.#addresses.get(connection);
    if (address === undefined) return;
    this.#addresses.delete(connection);
    const same = this.#byAddress.get(address);
    same?.delete(connection);
    if (same?.size === 0) this.#byAddress.delete(address);
  }

  /** Removes and returns the oldest connection, of all or of one address; undefined when there is none. */
  takeOldest(address?: string): T | undefined {
    const all = address === undefined ? this.#addresses.keys() : this.#byAddress.get(address)?.values();
    const oldest = all?.next().value;
    if (oldest !== undefined) this.remove(oldest);
    return oldest;
  }
}
