import type { Caller } from '../auth/caller.js';
import { type ErrorCode, Refusal } from '../errors.js';
import type { Event } from '../event.js';
import { type DeliveryFigures, newDeliveryFigures } from '../metrics/delivery-figures.js';
import type { ClientReading } from './client-tally.js';
import type { DeliveryParts, DeliverySettings } from './delivery-settings.js';
import type { DeliveryLevels, DeliveryStatus } from './delivery-status.js';
import { Drain } from './drain.js';
import { Engine } from './engine.js';
import { Expiries } from './expiries.js';
import { FollowedLog } from './followed-log.js';
import type { RoomChange } from './room-changes.js';
import { RoomReader } from './room-reader.js';
import type { Session } from './session.js';
import type { Candidate, OpenRequest } from './sessions.js';
import { inStretches } from './stretch.js';

/** How often stalled sessions are looked for and idle ones moved to the head, ms. */
const SWEEP_MS = 1000;
/** How long a client may take to name the rest of its rooms, ms. */
const ROOMS_MS = 10_000;
/** Sessions that are ended between two looks at the clock. */
const SESSIONS_PER_LOOK = 20;
/** Rooms that the status lists. */
const LISTED_ROOMS = 1000;
/** Why sessions end that did nothing wrong, and are to come back. */
const MOVED: ReadonlySet<ErrorCode> = new Set(['shutting_down', 'transport_disabled']);

/** The one engine under both wires: follows the log and moves every session along it. */
export class Delivery {
  /** Rooms for those who ask instead of listening. */
  readonly rooms: RoomReader;
  /** What follows the log; give it to {@link EventLog.start}. */
  readonly tail: FollowedLog;
  /** What it counts while it works. */
  readonly figures: DeliveryFigures = newDeliveryFigures();
  readonly #parts: DeliveryParts;
  readonly #engine: Engine;
  readonly #expiries: Expiries;
  readonly #endSweep: () => void;
  #closing = false;

  constructor(settings: DeliverySettings, parts: DeliveryParts) {
    this.#parts = parts;
    this.#expiries = new Expiries(parts.clock);
    this.#engine = new Engine(settings, parts, this.figures, {
      onTooSlow: (session) => {
        this.end(session, 'slow_consumer');
      },
      onFault: (session, error) => {
        this.#fault(session, error);
      },
    });
    const { timeline, beginnings, sweeper } = this.#engine;
    this.tail = new FollowedLog(this.#engine, parts);
    this.rooms = new RoomReader(timeline);
    this.#endSweep = parts.clock.every(SWEEP_MS, () => {
      if (this.tail.isCaughtUp) beginnings.beginWaiting();
      void this.#expiries.sweep((session) => {
        this.end(session, 'token_expired');
      });
      void sweeper.sweep();
    });
  }

  /** Takes a client in. It is accepted, welcomed and served through its outlet, at once or when the log is ready. */
  open(request: OpenRequest): Session | Refusal {
    const rooms = this.#check(request);
    if (rooms instanceof Refusal) return rooms;
    const session = this.#engine.sessions.admit(request, rooms);
    this.#expiries.add(session);
    this.#parts.counters.add('sessions_opened', request.transport);
    this.#parts.counters.add('clients_opened', request.outlet.client);
    try {
      session.outlet.accept();
      if (request.isPartial === true) this.#hold(session, request.cursor);
      else this.#engine.beginnings.begin(session, request.cursor);
    } catch (error) {
      this.#fault(session, error);
    }
    return session;
  }

  /** Why {@link open} would refuse this client now, for wires that must know before they connect it. Counted. */
  refusalFor(candidate: Candidate): Refusal | undefined {
    const rooms = this.#check(candidate);
    return rooms instanceof Refusal ? rooms : undefined;
  }

  /** Why anybody from this address would be refused now, for wires on which a client says only later who it is. Counted. */
  refusalForAddress(address: string): Refusal | undefined {
    const refusal = this.#closing ? goingDown() : this.#engine.admission.refusalFor(address);
    if (refusal !== undefined) this.#parts.counters.add('sessions_refused', refusal.code);
    return refusal;
  }

  /** The open session of this id. */
  session(id: string): Session | undefined {
    return this.#engine.sessions.find(id);
  }

  /** The connection can take more; to be called after a write found it not writable. */
  wake(session: Session): void {
    this.#engine.resumption.wake(session);
    this.#engine.pump.wake(session);
  }

  /** What the session may be told to have, outside a bundle; null when that can't be said now. */
  cursorOf(session: Session): string | null {
    const { state, isOwed, rooms, position, coveredFrom } = session;
    if (state !== 'live' || isOwed || position < coveredFrom) return null;
    return this.#engine.timeline.isWholeFor(rooms, position)
      ? this.#engine.timeline.cursorAt(position)
      : null;
  }

  /** Adds rooms (any value a client sent); their snapshot goes to the session. Answers all it has now. */
  join(session: Session, rooms: unknown): readonly string[] | Refusal {
    return this.changeRooms(session, { join: rooms, leave: [] });
  }

  /** Takes rooms away (any value a client sent). Answers all it has left. */
  leave(session: Session, rooms: unknown): readonly string[] | Refusal {
    return this.changeRooms(session, { join: [], leave: rooms });
  }

  /**
   * Takes rooms away and adds others: all of it, or, where that is refused, nothing. Answers all it has then. It is asked
   * for `by` somebody who must be the session's client, and whose rights count: they may be newer. The session ends when they do. Default: by itself.
   */
  changeRooms(
    session: Session,
    change: RoomChange,
    by: Caller = session.principal,
  ): readonly string[] | Refusal {
    const denied = this.#parts.denied.refusalFor(by);
    if (denied !== undefined) {
      this.#parts.counters.add('room_changes_refused', denied.code);
      return denied;
    }
    const rooms = this.#engine.roomChanges.change(session, change, by);
    const isJoining = Array.isArray(change.join) && change.join.length > 0;
    if (isJoining && !(rooms instanceof Refusal)) this.#expiries.shorten(session, by.expiresAt);
    return rooms;
  }

  /** The same, for who may do so with any session: other nodes and backends, which reach this one through Redis. */
  placeIn(session: Session, change: RoomChange): readonly string[] | Refusal {
    return this.#engine.roomChanges.place(session, change);
  }

  /**
   * Sends the session alone the newest values of its rooms: all, or those `wanted` says. Returns how many, with
   * those that were on their way to it already. Refused: `rate_limited`.
   */
  snapshot(session: Session, wanted: (event: Event) => boolean = () => true): number | Refusal {
    return this.#engine.roomChanges.show(session, wanted);
  }

  /**
   * Ends a session: its client is told `reason` and let go. A client that has to come back elsewhere is first given the events
   * that await it, as far as its connection takes them: a legacy client has no cursor to ask for them with.
   */
  end(session: Session, reason: ErrorCode): void {
    if (MOVED.has(reason)) this.#engine.pump.finish(session);
    if (session.state === 'closed') return;
    this.#parts.counters.add('sessions_ended', reason);
    if (reason === 'transport_disabled') {
      this.#engine.sessions.clients.turnedOff(session);
      this.#parts.counters.add('clients_turned_off', session.outlet.client);
    }
    this.close(session);
    try {
      session.outlet.end(reason);
    } catch (error) {
      this.#parts.logger.error('a connection failed to end', { session: session.id, error });
    }
  }

  /** Ends all sessions whose principal is one `isLeaving` names, in stretches; resolves with how many. */
  async endOf(isLeaving: (principal: Caller) => boolean, reason: ErrorCode): Promise<number> {
    const theirs = [...this.#engine.sessions].filter(({ principal }) => isLeaving(principal));
    await inStretches(this.#parts.clock, SESSIONS_PER_LOOK, theirs, (session) => {
      this.end(session, reason);
    });
    return theirs.length;
  }

  /** The connection is gone. */
  close(session: Session): void {
    if (session.state === 'closed') return;
    session.state = 'closed';
    this.#engine.sessions.remove(session);
    this.#expiries.remove(session);
    this.#engine.beginnings.drop(session);
    this.#engine.pump.drop(session);
  }

  /** True once it takes no more sessions. */
  get isClosing(): boolean {
    return this.#closing;
  }

  /** Takes no more sessions: who comes is refused `shutting_down`. */
  turnAway(): void {
    this.#closing = true;
  }

  /** Ends the sessions that are `leaving` one by one, over `overMs`; each client is told `reason`. */
  drain(leaving: (session: Session) => boolean, reason: ErrorCode, overMs: number): Drain {
    const { clock, random } = this.#parts;
    return new Drain({
      clock,
      random,
      overMs,
      leaving: () => [...this.#engine.sessions].filter(leaving),
      end: (session) => {
        this.end(session, reason);
      },
    });
  }

  /** Ends all sessions and takes no more. */
  shutDown(): void {
    this.turnAway();
    this.#endSweep();
    for (const session of this.#engine.sessions) this.end(session, 'shutting_down');
  }

  /** Figures for the status page. */
  status(): DeliveryStatus {
    return {
      ...this.levels(),
      rooms: Object.fromEntries(this.#engine.hub.largest(LISTED_ROOMS)),
      cursor: this.#engine.timeline.headCursor,
    };
  }

  /** How much there is now; takes no time, however many sessions there are. */
  levels(): DeliveryLevels {
    const { sessions, timeline, pump, sweeper } = this.#engine;
    return {
      sessions: sessions.counts(),
      clients: sessions.clients.open(),
      eventsHeld: timeline.length,
      windowMs: pump.windowMs,
      flushes: pump.flushes,
      backlog: sweeper.backlog,
    };
  }

  /** The counts of clients by kind so far. */
  clients(): ClientReading {
    return this.#engine.sessions.clients.read();
  }

  /** Rooms that have a member now. */
  get occupiedRooms(): number {
    return this.#engine.hub.size;
  }

  #check(candidate: Candidate): readonly string[] | Refusal {
    const checked = this.#closing
      ? goingDown()
      : (this.#parts.denied.refusalFor(candidate.principal) ?? this.#engine.sessions.check(candidate));
    if (checked instanceof Refusal) this.#parts.counters.add('sessions_refused', checked.code);
    return checked;
  }

  /** Waits for the rest of the session's rooms, for {@link ROOMS_MS}. */
  #hold(session: Session, cursor: string | null): void {
    const { beginnings } = this.#engine;
    beginnings.hold(session, cursor);
    this.#parts.clock.after(ROOMS_MS, () => {
      if (beginnings.isHeld(session)) this.end(session, 'request_timeout');
    });
  }

  #fault(session: Session, error: unknown): void {
    this.#parts.logger.error('a connection failed where it must not', { session: session.id, error });
    this.end(session, 'internal');
  }
}

function goingDown(): Refusal {
  return new Refusal('shutting_down', 'this node is going down', 1000);
}
