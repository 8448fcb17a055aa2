import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.js';
import type { Principal } from '../command.js';
import { type ErrorCode, Refusal } from '../errors.js';
import type { Event, LogEntry } from '../event.js';
import type { EventTypes } from '../event-types.js';
import type { EventLog, LogState, LogTail } from '../log/event-log.js';
import type { LogBounds } from '../log/memory-log.js';
import type { Logger } from '../logger.js';
import type { Counters } from '../metrics/counters.js';
import { Admission, type SessionLimits } from './admission.js';
import { Hub } from './hub.js';
import type { GapReason, Outlet } from './outlet.js';
import { Pump } from './pump.js';
import { Resumption } from './resumption.js';
import { Session, type Transport } from './session.js';
import { Slicer } from './slicer.js';
import { Timeline } from './timeline.js';
import type { WindowBounds } from './window.js';

const NO_ROOMS: ReadonlySet<string> = new Set();
/** How often stalled sessions are looked for and idle ones moved to the head, ms. */
const SWEEP_MS = 1000;

/** What delivery is told by the configuration. */
export interface DeliverySettings extends SessionLimits {
  /** The profile served, as clients are told. */
  readonly profile: string;
  /** Rooms of sessions that name none. */
  readonly defaultRooms: readonly string[];
  readonly heartbeatMs: number;
  readonly window: WindowBounds;
  /** How long a connection may be unable to take what awaits it, ms. */
  readonly maxBacklogMs: number;
  /** How much of the log this process keeps in memory. */
  readonly memory: LogBounds;
}

/** What delivery works with. */
export interface DeliveryParts {
  readonly log: EventLog;
  readonly types: EventTypes;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly logger: Logger;
}

/** A client that wants to become a session. */
export interface OpenRequest {
  readonly principal: Principal;
  /** Where it connects from, for limits. */
  readonly address: string;
  readonly transport: Transport;
  readonly outlet: Outlet;
  /** What the client asked for, unchecked; undefined means the default rooms. */
  readonly rooms: unknown;
  /** The cursor it brings, unchecked; null when it starts anew. */
  readonly cursor: string | null;
}

/** The one engine under both wires: follows the log and moves every session along it. */
export class Delivery {
  readonly #settings: DeliverySettings;
  readonly #parts: DeliveryParts;
  readonly #timeline: Timeline;
  readonly #slicer: Slicer;
  readonly #hub = new Hub();
  readonly #admission: Admission;
  readonly #pump: Pump;
  readonly #resumption: Resumption;
  readonly #sessions = new Map<string, Session>();
  readonly #addresses = new Map<Session, string>();
  /** Sessions that begin, at the cursor they brought, when the log has moved or is back. */
  readonly #waiting = new Map<Session, string | null>();
  readonly #endSweep: () => void;
  #logState: LogState = 'starting';
  #closing = false;

  constructor(settings: DeliverySettings, parts: DeliveryParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#timeline = new Timeline(parts.types, settings.memory, parts.counters);
    this.#slicer = new Slicer(this.#timeline);
    this.#admission = new Admission(settings, this.#hub);
    this.#resumption = new Resumption(parts.log, this.#timeline, this.#slicer, parts.clock);
    this.#pump = new Pump({
      timeline: this.#timeline,
      slicer: this.#slicer,
      hub: this.#hub,
      clock: parts.clock,
      window: settings.window,
      stretchSessions: settings.maxRoomSize,
      onLost: (session) => {
        this.#announceGap(session, 'trimmed');
      },
      onFault: (session, error) => {
        this.#fault(session, error);
      },
    });
    this.#endSweep = parts.clock.every(SWEEP_MS, () => {
      this.#sweep();
    });
  }

  /** What follows the log; give it to {@link EventLog.start}. */
  readonly tail: LogTail = {
    reset: (floor) => {
      this.#timeline.reset(floor);
      // Sessions of quiet rooms, too, must learn of the gap.
      if (this.#hub.size > 0) this.#pump.changed(new Set(this.#hub.sizes().keys()));
    },
    entries: (batch) => {
      this.#append(batch);
    },
    state: (state) => {
      this.#logState = state;
      if (state === 'ready') this.#beginWaiting();
    },
  };

  /** Takes a client in. It is accepted, welcomed and served through its outlet, at once or when the log is ready. */
  open(request: OpenRequest): Session | Refusal {
    const rooms = this.#check(request);
    if (rooms instanceof Refusal) return rooms;
    const session = this.#admit(request, rooms);
    try {
      session.outlet.accept();
      this.#begin(session, request.cursor);
    } catch (error) {
      this.#fault(session, error);
    }
    return session;
  }

  /** Why {@link open} would refuse this client now, for wires that must know before they connect it. Counted. */
  refusalFor(request: Pick<OpenRequest, 'address' | 'rooms'>): Refusal | undefined {
    const rooms = this.#check(request);
    return rooms instanceof Refusal ? rooms : undefined;
  }

  /** The open session of this id. */
  session(id: string): Session | undefined {
    return this.#sessions.get(id);
  }

  /** The connection can take more; to be called after a write found it not writable. */
  wake(session: Session): void {
    this.#resumption.wake(session);
    this.#pump.wake(session);
  }

  /** What the session may be told to have, outside a bundle; null when that can't be said now. */
  cursorOf(session: Session): string | null {
    const { state, ahead, rooms, position, coveredFrom } = session;
    if (state !== 'live' || ahead.length > 0 || position < coveredFrom) return null;
    return this.#timeline.isWholeFor(rooms, position) ? this.#timeline.cursorAt(position) : null;
  }

  /** Adds rooms (any value a client sent); their snapshot goes to the session. Resolves to all it has now. */
  join(session: Session, rooms: unknown): readonly string[] | Refusal {
    const anew = this.#admission.checkRooms(rooms, new Set(session.rooms.keys()));
    if (anew instanceof Refusal) {
      this.#parts.counters.add('joins_refused', anew.code);
      return anew;
    }
    if (this.#isIdle(session)) session.position = this.#timeline.head;
    for (const room of anew) {
      this.#hub.join(session, room, this.#timeline.head);
      session.ahead.push(...this.#slicer.snapshot(room));
    }
    this.#pump.wake(session);
    return [...session.rooms.keys()];
  }

  /** Takes rooms away (any value a client sent). Resolves to all it has left. */
  leave(session: Session, rooms: unknown): readonly string[] | Refusal {
    const checked = this.#admission.checkRooms(rooms, NO_ROOMS);
    if (checked instanceof Refusal && checked.code === 'invalid_room') return checked;
    if (Array.isArray(rooms)) for (const room of rooms as string[]) this.#hub.leave(session, room);
    return [...session.rooms.keys()];
  }

  /**
   * Sends the session alone the newest values of its rooms: all, or those `wanted` says. Returns how many, with
   * those that were on their way to it already.
   */
  snapshot(session: Session, wanted: (event: Event) => boolean = () => true): number {
    if (session.state !== 'live') return 0;
    const events = [...session.rooms.keys()].flatMap((room) => this.#timeline.latest(room)).filter(wanted);
    // Values it has not come to yet are on their way to it anyway, and must not come before older ones.
    const passed = events.filter(
      ({ room, position }) => position < Math.max(session.position, session.rooms.get(room) ?? 0),
    );
    session.ahead.push(...this.#slicer.pack(passed, this.#timeline.head, this.#timeline.headCursor));
    this.#pump.wake(session);
    return events.length;
  }

  /** The newest value of each slot of a room, and the cursor it is as of. */
  state(room: string): { readonly events: readonly Event[]; readonly cursor: string } {
    return { events: this.#timeline.latest(room), cursor: this.#timeline.headCursor };
  }

  /** Up to `limit` events of a room after `cursor` (null: the oldest there are), and whether that is whole. */
  history(room: string, cursor: string | null, limit: number): RoomPage {
    const standing = cursor === null ? { position: 0 } : this.#timeline.locate(cursor);
    const from = typeof standing === 'object' ? standing.position : standing === 'ahead' ? Infinity : 0;
    const whole = standing !== 'lost' && this.#timeline.isWhole(room, from);
    const events = this.#timeline.between(room, from, this.#timeline.head, limit);
    const last = events.length === limit ? events[limit - 1] : undefined;
    const end = last === undefined ? this.#timeline.headCursor : last.id;
    return { events, whole, cursor: standing === 'ahead' && cursor !== null ? cursor : end };
  }

  /** Core ends a session: its client is told `reason` and let go. */
  end(session: Session, reason: ErrorCode): void {
    if (session.state === 'closed') return;
    this.#parts.counters.add('sessions_ended', reason);
    this.close(session);
    try {
      session.outlet.end(reason);
    } catch (error) {
      this.#parts.logger.error('a connection failed to end', { session: session.id, error });
    }
  }

  /** The connection is gone. */
  close(session: Session): void {
    if (session.state === 'closed') return;
    session.state = 'closed';
    this.#hub.leaveAll(session);
    this.#sessions.delete(session.id);
    this.#waiting.delete(session);
    this.#pump.drop(session);
    this.#resumption.wake(session);
    this.#admission.leave(this.#addresses.get(session) ?? '');
    this.#addresses.delete(session);
  }

  /** Ends all sessions and takes no more. */
  shutDown(): void {
    this.#closing = true;
    this.#endSweep();
    for (const session of this.#sessions.values()) this.end(session, 'shutting_down');
  }

  /** Figures for the status page. */
  status(): DeliveryStatus {
    const sessions = { websocket: 0, sse: 0 };
    for (const session of this.#sessions.values()) sessions[session.transport] += 1;
    return {
      sessions,
      rooms: Object.fromEntries([...this.#hub.sizes()].slice(0, 1000)),
      eventsHeld: this.#timeline.length,
      cursor: this.#timeline.headCursor,
      windowMs: this.#pump.windowMs,
      flushes: this.#pump.flushes,
    };
  }

  #check(request: Pick<OpenRequest, 'address' | 'rooms'>): readonly string[] | Refusal {
    const checked = this.#closing
      ? new Refusal('shutting_down', 'this node is going down', 1000)
      : (this.#admission.refusalFor(request.address) ??
        this.#admission.checkRooms(request.rooms ?? this.#settings.defaultRooms, NO_ROOMS));
    if (checked instanceof Refusal) this.#parts.counters.add('sessions_refused', checked.code);
    return checked;
  }

  #admit(request: OpenRequest, rooms: readonly string[]): Session {
    this.#admission.enter(request.address);
    const session = new Session(randomUUID(), request.principal, request.transport, request.outlet);
    this.#sessions.set(session.id, session);
    this.#addresses.set(session, request.address);
    for (const room of rooms) this.#hub.join(session, room, Infinity);
    this.#parts.counters.add('sessions_opened', request.transport);
    return session;
  }

  #begin(session: Session, cursor: string | null): void {
    if (this.#logState === 'starting') {
      this.#waiting.set(session, cursor);
    } else if (cursor === null) {
      this.#welcome(session, null);
      this.#startAtHead(session);
    } else {
      this.#resume(session, cursor).catch((error: unknown) => {
        this.#fault(session, error);
      });
    }
  }

  async #resume(session: Session, cursor: string): Promise<void> {
    const resumed = await this.#resumption.resume(session, cursor, () => {
      this.#welcome(session, cursor);
    });
    if (session.state === 'closed') return;
    if (resumed === 'lost') {
      this.#welcome(session, null);
      this.#announceGap(session, this.#timeline.locate(cursor) === 'lost' ? 'trimmed' : 'unknown_cursor');
    } else if ('waitAt' in resumed) {
      this.#waiting.set(session, resumed.waitAt);
    } else {
      this.#goOnFrom(session, resumed.position);
    }
  }

  #welcome(session: Session, cursor: string | null): void {
    if (session.welcomed) return;
    session.welcomed = true;
    session.outlet.welcome({
      sessionId: session.id,
      profile: this.#settings.profile,
      rooms: [...session.rooms.keys()],
      cursor,
      resumed: cursor !== null,
      heartbeatMs: this.#settings.heartbeatMs,
    });
  }

  #announceGap(session: Session, reason: GapReason): void {
    this.#parts.counters.add('gaps', reason);
    session.outlet.gap({ reason, dropped: null, cursor: this.#timeline.headCursor });
    this.#startAtHead(session);
  }

  #startAtHead(session: Session): void {
    session.position = this.#timeline.head;
    session.state = 'live';
    session.ahead.length = 0;
    for (const room of session.rooms.keys()) {
      session.rooms.set(room, session.position);
      session.ahead.push(...this.#slicer.snapshot(room));
    }
    if (session.ahead.length === 0) session.outlet.deliver([], this.#timeline.headCursor);
    else this.#pump.wake(session);
  }

  /** It has everything before `position` of the rooms it came with, and of those it joined since then less. */
  #goOnFrom(session: Session, position: number): void {
    for (const [room, since] of session.rooms) if (since === Infinity) session.rooms.set(room, position);
    session.position = Math.min(position, ...session.rooms.values());
    session.state = 'live';
    this.#pump.wake(session);
  }

  #fault(session: Session, error: unknown): void {
    this.#parts.logger.error('a connection failed where it must not', { session: session.id, error });
    this.end(session, 'internal');
  }

  #append(batch: readonly LogEntry[]): void {
    this.#pump.changed(this.#timeline.append(batch));
    this.#parts.counters.add('events_logged', 'all', batch.length);
    if (this.#logState === 'ready') this.#beginWaiting();
  }

  #beginWaiting(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const [session, cursor] of waiting) {
      try {
        this.#begin(session, cursor);
      } catch (error) {
        this.#fault(session, error);
      }
    }
  }

  #sweep(): void {
    const now = this.#parts.clock.elapsed();
    if (this.#logState === 'ready') this.#beginWaiting();
    for (const session of this.#sessions.values()) {
      if (session.stalledAt !== null && now - session.stalledAt > this.#settings.maxBacklogMs) {
        this.end(session, 'slow_consumer');
      } else if (this.#isIdle(session)) {
        // So that what others are sent, and the log forgets, is no gap to a session of quiet rooms.
        session.position = this.#timeline.head;
        session.stalledAt = null;
      }
    }
    this.#timeline.forgetEmptyRooms();
  }

  #isIdle(session: Session): boolean {
    const { state, ahead, rooms, position } = session;
    if (state !== 'live' || ahead.length > 0 || !this.#timeline.isWholeFor(rooms, position)) return false;
    for (const [room, since] of rooms) {
      if (this.#timeline.hasNews(room, Math.max(position, since))) return false;
    }
    return true;
  }
}

/** A stretch of a room's history. */
export interface RoomPage {
  readonly events: readonly Event[];
  /** False when events right after the cursor are gone. */
  readonly whole: boolean;
  /** Where to read on. */
  readonly cursor: string;
}

/** What {@link Delivery.status} tells. */
export interface DeliveryStatus {
  readonly sessions: Readonly<Record<Transport, number>>;
  /** Sessions by room, at most 1000 rooms. */
  readonly rooms: Readonly<Record<string, number>>;
  readonly eventsHeld: number;
  readonly cursor: string;
  readonly windowMs: number;
  readonly flushes: number;
}
