import type { Session } from './session.js';

const NOBODY: ReadonlySet<Session> = new Set();

/** Who is in which room, in this process. */
export class Hub {
  readonly #rooms = new Map<string, Set<Session>>();

  /** How many rooms have a member. */
  get size(): number {
    return this.#rooms.size;
  }

  /** The members of a room; a live view. */
  members(room: string): ReadonlySet<Session> {
    return this.#rooms.get(room) ?? NOBODY;
  }

  /** Makes the session a member, from timeline position `since` on. No effect when it is one already. */
  join(session: Session, room: string, since: number): void {
    if (session.rooms.has(room)) return;
    session.enter(room, since);
    let members = this.#rooms.get(room);
    if (members === undefined) this.#rooms.set(room, (members = new Set()));
    members.add(session);
  }

  /** Ends a membership. No effect when there is none. */
  leave(session: Session, room: string): void {
    session.exit(room);
    const members = this.#rooms.get(room);
    if (members?.delete(session) === true && members.size === 0) this.#rooms.delete(room);
  }

  /** Ends all memberships of a session. */
  leaveAll(session: Session): void {
    for (const room of session.rooms.keys()) this.leave(session, room);
  }

  /** The names of rooms that have a member. */
  names(): Iterable<string> {
    return this.#rooms.keys();
  }

  /** How many sessions the `count` largest rooms have. There may be very many rooms, so they are not sorted. */
  largest(count: number): Map<string, number> {
    const smallest = this.#rooms.size <= count ? 1 : this.#sizeOfLargest(count);
    const above = new Map<string, number>();
    const equal: string[] = [];
    for (const [room, { size }] of this.#rooms) {
      if (size > smallest) above.set(room, size);
      else if (size === smallest && equal.length < count) equal.push(room);
    }
    for (const room of equal.slice(0, count - above.size)) above.set(room, smallest);
    return above;
  }

  /** The size of the room that would be number `count` if they were sorted, largest first. */
  #sizeOfLargest(count: number): number {
    const roomsOfSize = new Map<number, number>();
    for (const { size } of this.#rooms.values()) roomsOfSize.set(size, (roomsOfSize.get(size) ?? 0) + 1);
    let rooms = 0;
    for (const [size, ofSize] of [...roomsOfSize].sort(([one], [other]) => other - one)) {
      rooms += ofSize;
      if (rooms >= count) return size;
    }
    return 1;
  }
}
