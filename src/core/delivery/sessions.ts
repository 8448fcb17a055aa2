import { randomUUID } from 'node:crypto';
import type { Principal } from '../command.js';
import type { Refusal } from '../errors.js';
import type { Admission } from './admission.js';
import type { CursorScope } from './cursor-scope.js';
import type { Hub } from './hub.js';
import type { Outlet } from './outlet.js';
import { Session, type Transport } from './session.js';
import type { WriteAllowance } from './write-allowance.js';

/** A client that wants to become a session. */
export interface OpenRequest {
  readonly principal: Principal;
  /** Where it connects from, for limits. */
  readonly address: string;
  readonly transport: Transport;
  readonly outlet: Outlet;
  /** What the client asked for, unchecked; undefined, or an empty list, means the default rooms. */
  readonly rooms: unknown;
  /** The cursor it brings, unchecked; null when it starts anew. */
  readonly cursor: string | null;
}

const NO_ROOMS: ReadonlySet<string> = new Set();

/** The open sessions of this process: who comes in, who is there, who goes. */
export class Sessions implements Iterable<Session> {
  readonly #admission: Admission;
  readonly #hub: Hub;
  readonly #defaultRooms: readonly string[];
  readonly #newAllowance: () => WriteAllowance | null;
  readonly #scopeOf: (rooms: readonly string[]) => CursorScope;
  readonly #sessions = new Map<string, Session>();
  readonly #addresses = new Map<Session, string>();

  /**
   * `newAllowance` makes what limits the writes to one client whose events are a write each; null: no limit. `scopeOf`
   * finds the shards of a session's rooms.
   */
  constructor(
    admission: Admission,
    hub: Hub,
    defaultRooms: readonly string[],
    newAllowance: () => WriteAllowance | null,
    scopeOf: (rooms: readonly string[]) => CursorScope,
  ) {
    this.#admission = admission;
    this.#hub = hub;
    this.#defaultRooms = defaultRooms;
    this.#newAllowance = newAllowance;
    this.#scopeOf = scopeOf;
  }

  [Symbol.iterator](): Iterator<Session> {
    return this.#sessions.values();
  }

  /** The session of this id. */
  find(id: string): Session | undefined {
    return this.#sessions.get(id);
  }

  /** The rooms a client would get, or why it may not come in. */
  check({ address, rooms }: Pick<OpenRequest, 'address' | 'rooms'>): readonly string[] | Refusal {
    const named = Array.isArray(rooms) && rooms.length === 0 ? undefined : rooms;
    return (
      this.#admission.refusalFor(address) ?? this.#admission.checkRooms(named ?? this.#defaultRooms, NO_ROOMS)
    );
  }

  /** Takes a client in, with rooms that were checked. */
  admit(request: OpenRequest, rooms: readonly string[]): Session {
    this.#admission.enter(request.address);
    const { principal, transport, outlet } = request;
    const allowance = outlet.unbundled ? this.#newAllowance() : null;
    const session = new Session(randomUUID(), principal, transport, outlet, allowance, this.#scopeOf);
    this.#sessions.set(session.id, session);
    this.#addresses.set(session, request.address);
    for (const room of rooms) this.#hub.join(session, room, Infinity);
    return session;
  }

  /** Lets a session go. */
  remove(session: Session): void {
    this.#hub.leaveAll(session);
    this.#sessions.delete(session.id);
    this.#admission.leave(this.#addresses.get(session) ?? '');
    this.#addresses.delete(session);
  }

  /** How many there are, by transport. */
  counts(): Readonly<Record<Transport, number>> {
    const counts = { websocket: 0, sse: 0 };
    for (const session of this.#sessions.values()) counts[session.transport] += 1;
    return counts;
  }
}
