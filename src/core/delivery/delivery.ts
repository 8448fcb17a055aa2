import type { Clock } from '../clock.js';
import { type ErrorCode, Refusal } from '../errors.js';
import type { Event, LogEntry } from '../event.js';
import type { EventTypes } from '../event-types.js';
import type { EventLog, LogState, LogTail } from '../log/event-log.js';
import type { LogBounds } from '../log/memory-log.js';
import type { Logger } from '../logger.js';
import type { Counters } from '../metrics/counters.js';
import { Admission, type SessionLimits } from './admission.js';
import { Beginnings } from './beginnings.js';
import { Hub } from './hub.js';
import { Pump } from './pump.js';
import { Resumption } from './resumption.js';
import { RoomReader } from './room-reader.js';
import type { Session, Transport } from './session.js';
import { type OpenRequest, Sessions } from './sessions.js';
import { Slicer } from './slicer.js';
import { Sweeper } from './sweeper.js';
import { Timeline } from './timeline.js';
import type { WindowBounds } from './window.js';
import { WriteAllowance } from './write-allowance.js';

/** How often stalled sessions are looked for and idle ones moved to the head, ms. */
const SWEEP_MS = 1000;

/** Slices that may await a session ahead of the timeline before it may ask for more snapshots. */
const MAX_AHEAD = 64;
const BUSY = new Refusal('rate_limited', 'snapshots of earlier joins are still on their way', 1000);

/** What delivery is told by the configuration. */
export interface DeliverySettings extends SessionLimits {
  /** The profile served, as clients are told. */
  readonly profile: string;
  /** Rooms of sessions that name none. */
  readonly defaultRooms: readonly string[];
  readonly heartbeatMs: number;
  readonly window: WindowBounds;
  /** Most writes to one client whose events are a write each; 0 = no limit. */
  readonly maxEventsPerSecondPerClient: number;
  /** Most writes that may await one client. */
  readonly maxQueuePerClient: number;
  /** How long a connection may be unable to take what awaits it, and how old what awaits it may be, ms. */
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

/** The one engine under both wires: follows the log and moves every session along it. */
export class Delivery {
  /** Rooms for those who ask instead of listening. */
  readonly rooms: RoomReader;
  readonly #parts: DeliveryParts;
  readonly #timeline: Timeline;
  readonly #slicer: Slicer;
  readonly #hub = new Hub();
  readonly #admission: Admission;
  readonly #sessions: Sessions;
  readonly #resumption: Resumption;
  readonly #beginnings: Beginnings;
  readonly #pump: Pump;
  readonly #sweeper: Sweeper;
  readonly #endSweep: () => void;
  #logState: LogState = 'starting';
  #closing = false;

  constructor(settings: DeliverySettings, parts: DeliveryParts) {
    this.#parts = parts;
    this.#timeline = new Timeline(parts.types, settings.memory, parts.counters);
    this.rooms = new RoomReader(this.#timeline);
    this.#slicer = new Slicer(this.#timeline);
    this.#admission = new Admission(settings, this.#hub);
    const { maxEventsPerSecondPerClient: perSecond } = settings;
    this.#sessions = new Sessions(this.#admission, this.#hub, settings.defaultRooms, () =>
      perSecond === 0 ? null : new WriteAllowance(perSecond, parts.clock.elapsed()),
    );
    this.#resumption = new Resumption(parts.log, this.#timeline, this.#slicer, parts.clock);
    const onFault = (session: Session, error: unknown): void => {
      this.#fault(session, error);
    };
    this.#beginnings = new Beginnings({
      ...settings,
      timeline: this.#timeline,
      slicer: this.#slicer,
      resumption: this.#resumption,
      counters: parts.counters,
      onLive: (session) => {
        this.#pump.wake(session);
      },
      onFault,
    });
    this.#pump = new Pump({
      timeline: this.#timeline,
      slicer: this.#slicer,
      hub: this.#hub,
      clock: parts.clock,
      window: settings.window,
      stretchSessions: settings.maxRoomSize,
      maxQueue: settings.maxQueuePerClient,
      onOverflow: (session, dropped) => {
        parts.counters.add('events_dropped', 'client_queue', dropped);
        this.#beginnings.announceOverflow(session, dropped);
      },
      onLost: (session) => {
        this.#beginnings.beginAfterGap(session, 'trimmed');
      },
      onFault,
    });
    this.#sweeper = new Sweeper({
      sessions: this.#sessions,
      timeline: this.#timeline,
      clock: parts.clock,
      maxBacklogMs: settings.maxBacklogMs,
      onTooSlow: (session) => {
        this.end(session, 'slow_consumer');
      },
    });
    this.#endSweep = parts.clock.every(SWEEP_MS, () => {
      if (this.#logState === 'ready') this.#beginnings.beginWaiting();
      this.#sweeper.sweep();
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
      if (state === 'ready') this.#beginnings.beginWaiting();
    },
  };

  /** Takes a client in. It is accepted, welcomed and served through its outlet, at once or when the log is ready. */
  open(request: OpenRequest): Session | Refusal {
    const rooms = this.#check(request);
    if (rooms instanceof Refusal) return rooms;
    const session = this.#sessions.admit(request, rooms);
    this.#parts.counters.add('sessions_opened', request.transport);
    try {
      session.outlet.accept();
      if (this.#logState === 'starting') this.#beginnings.wait(session, request.cursor);
      else this.#beginnings.begin(session, request.cursor);
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
    return this.#sessions.find(id);
  }

  /** The connection can take more; to be called after a write found it not writable. */
  wake(session: Session): void {
    this.#resumption.wake(session);
    this.#pump.wake(session);
  }

  /** What the session may be told to have, outside a bundle; null when that can't be said now. */
  cursorOf(session: Session): string | null {
    const { state, isOwed, rooms, position, coveredFrom } = session;
    if (state !== 'live' || isOwed || position < coveredFrom) return null;
    return this.#timeline.isWholeFor(rooms, position) ? this.#timeline.cursorAt(position) : null;
  }

  /** Adds rooms (any value a client sent); their snapshot goes to the session. Answers all it has now. */
  join(session: Session, rooms: unknown): readonly string[] | Refusal {
    return this.changeRooms(session, { join: rooms, leave: [] });
  }

  /** Takes rooms away (any value a client sent). Answers all it has left. */
  leave(session: Session, rooms: unknown): readonly string[] | Refusal {
    return this.changeRooms(session, { join: [], leave: rooms });
  }

  /** Takes rooms away and adds others: all of it, or, where that is refused, nothing. */
  changeRooms(session: Session, { join, leave }: RoomChange): readonly string[] | Refusal {
    if (session.ahead.length >= MAX_AHEAD) return this.#refuseChange(BUSY);
    const gone = this.#admission.checkNames(leave);
    const held = new Set(session.rooms.keys());
    if (!(gone instanceof Refusal)) for (const room of gone) held.delete(room);
    const anew = gone instanceof Refusal ? gone : this.#admission.checkRooms(join, held);
    if (gone instanceof Refusal || anew instanceof Refusal) {
      return this.#refuseChange(gone instanceof Refusal ? gone : (anew as Refusal));
    }
    for (const room of gone) this.#hub.leave(session, room);
    this.#sweeper.moveToHead(session);
    for (const room of anew) {
      this.#hub.join(session, room, this.#timeline.head);
      session.ahead.push(...this.#slicer.snapshot(room));
    }
    this.#pump.wake(session);
    return [...session.rooms.keys()];
  }

  /**
   * Sends the session alone the newest values of its rooms: all, or those `wanted` says. Returns how many, with
   * those that were on their way to it already.
   */
  snapshot(session: Session, wanted: (event: Event) => boolean = () => true): number {
    if (session.state !== 'live') return 0;
    if (session.ahead.length >= MAX_AHEAD) {
      this.#parts.counters.add('snapshots_skipped');
      return session.ahead.length;
    }
    const events = [...session.rooms.keys()].flatMap((room) => this.#timeline.latest(room)).filter(wanted);
    // Values it has not come to yet are on their way to it anyway, and must not come before older ones.
    const passed = events.filter(
      ({ room, position }) => position < Math.max(session.position, session.rooms.get(room) ?? 0),
    );
    // What it is owed is older.
    const { owed, paid } = session;
    if (owed.length > paid) session.owe([...owed.slice(paid), ...passed]);
    else session.ahead.push(...this.#slicer.pack(passed, this.#timeline.head, this.#timeline.headCursor));
    this.#pump.wake(session);
    return events.length;
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
    this.#sessions.remove(session);
    this.#beginnings.drop(session);
    this.#pump.drop(session);
  }

  /** Ends all sessions and takes no more. */
  shutDown(): void {
    this.#closing = true;
    this.#endSweep();
    for (const session of this.#sessions) this.end(session, 'shutting_down');
  }

  /** Figures for the status page. */
  status(): DeliveryStatus {
    return {
      sessions: this.#sessions.counts(),
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
      : this.#sessions.check(request);
    if (checked instanceof Refusal) this.#parts.counters.add('sessions_refused', checked.code);
    return checked;
  }

  #refuseChange(refusal: Refusal): Refusal {
    this.#parts.counters.add('room_changes_refused', refusal.code);
    return refusal;
  }

  #fault(session: Session, error: unknown): void {
    this.#parts.logger.error('a connection failed where it must not', { session: session.id, error });
    this.end(session, 'internal');
  }

  #append(batch: readonly LogEntry[]): void {
    this.#pump.changed(this.#timeline.append(batch, this.#parts.clock.elapsed()));
    this.#parts.counters.add('events_logged', 'all', batch.length);
    if (this.#logState === 'ready') this.#beginnings.beginWaiting();
  }
}

/** Rooms to leave and to join, each any value a client sent. */
export interface RoomChange {
  readonly join: unknown;
  readonly leave: unknown;
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
