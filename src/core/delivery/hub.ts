import type { Session } from './session.js';

const NOBODY: ReadonlySet<Session> = new Set();

/** Who is in which room, in this process. */
export class Hub {
  readonly #rooms = new Map<string, Set<Session>>();

  /** How many rooms have a member. */
  get size(): number {
    return this.#rooms.size;
  }

  /** Rooms that have a member. */
  rooms(): Iterable<string> {
    return this.#rooms.keys();
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

  /** Rooms and how many sessions each has. */
  sizes(): Map<string, number> {
    return new Map([...this.#rooms].map(([room, members]) => [room, members.size]));
  }
}
