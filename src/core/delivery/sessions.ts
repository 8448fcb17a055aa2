import type { Caller } from '../auth/caller.js';
import { Refusal } from '../errors.js';
import type { Traffic } from '../metrics/traffic.js';
import type { Admission } from './admission.js';
import { ClientTally } from './client-tally.js';
import type { Hub } from './hub.js';
import type { Outlet } from './outlet.js';
import { Session, type Transport } from './session.js';

/** A client that wants to become a session. */
export interface OpenRequest {
  readonly principal: Caller;
  /** Where it connects from, for limits. */
  readonly address: string;
  readonly transport: Transport;
  readonly outlet: Outlet;
  /** What the client asked for, unchecked; undefined, or an empty list, means the default rooms. */
  readonly rooms: unknown;
  /** The cursor it brings, unchecked; null when it starts anew. */
  readonly cursor: string | null;
  /** True when the client names its other rooms with its first join: the session begins with that. Default: false. */
  readonly isPartial?: boolean;
  /** The transport that it says its last session came over, unchecked. */
  readonly from?: unknown;
}

/** As much of it as says whether it may come in. */
export type Candidate = Pick<OpenRequest, 'principal' | 'address' | 'rooms'>;

/** What {@link Sessions} work with. */
export interface SessionsParts {
  readonly admission: Admission;
  readonly hub: Hub;
  /** Rooms of those that name none. */
  readonly defaultRooms: readonly string[];
  /** A new session's id: unique among all nodes, and not to be guessed. */
  readonly newId: () => string;
  /** Where what they are written is counted. */
  readonly traffic: Readonly<Record<Transport, Traffic>>;
}

const NO_ROOMS: ReadonlySet<string> = new Set();

/** The open sessions of this process: who comes in, who is there, who goes. */
export class Sessions implements Iterable<Session> {
  /** Counts them by the kind of their clients. */
  readonly clients = new ClientTally();
  readonly #parts: SessionsParts;
  readonly #sessions = new Map<string, Session>();
  readonly #addresses = new Map<Session, string>();
  readonly #counts: Record<Transport, number> = { websocket: 0, sse: 0 };

  constructor(parts: SessionsParts) {
    this.#parts = parts;
  }

  [Symbol.iterator](): Iterator<Session> {
    return this.#sessions.values();
  }

  /** The session of this id. */
  find(id: string): Session | undefined {
    return this.#sessions.get(id);
  }

  /**
   * The rooms a client would get, or why it may not come in. One that names none gets those of the default rooms that it
   * may have.
   */
  check({ principal, address, rooms }: Candidate): readonly string[] | Refusal {
    const { admission } = this.#parts;
    const full = admission.refusalFor(address);
    if (full !== undefined) return full;
    const namesNone = rooms === undefined || (Array.isArray(rooms) && rooms.length === 0);
    const wanted = namesNone ? this.#defaultRoomsFor(principal) : rooms;
    if (wanted instanceof Refusal) return wanted;
    return admission.checkRooms(wanted, NO_ROOMS, principal.rights);
  }

  #defaultRoomsFor({ rights }: Caller): readonly string[] | Refusal {
    const rooms = this.#parts.defaultRooms.filter((room) => rights.maySubscribe(room));
    return rooms.length === 0 ? new Refusal('forbidden', 'none of the default rooms is allowed') : rooms;
  }

  /** Takes a client in, with rooms that were checked. */
  admit(request: OpenRequest, rooms: readonly string[]): Session {
    this.#parts.admission.enter(request.address);
    const { principal, transport, outlet } = request;
    const session = new Session(
      this.#parts.newId(),
      principal,
      transport,
      outlet,
      this.#parts.traffic[transport],
    );
    this.#sessions.set(session.id, session);
    this.#counts[transport] += 1;
    this.clients.opened(session, request.cursor === null ? undefined : request.from);
    this.#addresses.set(session, request.address);
    for (const room of rooms) this.#parts.hub.join(session, room, Infinity);
    return session;
  }

  /** Lets a session go. */
  remove(session: Session): void {
    this.#parts.hub.leaveAll(session);
    if (this.#sessions.delete(session.id)) {
      this.#counts[session.transport] -= 1;
      this.clients.closed(session);
    }
    this.#parts.admission.leave(this.#addresses.get(session) ?? '');
    this.#addresses.delete(session);
  }

  /** How many there are, by transport. */
  counts(): Readonly<Record<Transport, number>> {
    return { ...this.#counts };
  }
}
