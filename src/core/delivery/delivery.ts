import { type ErrorCode, Refusal } from '../errors.js';
import type { Event, LogEntry } from '../event.js';
import type { LogState, LogTail } from '../log/event-log.js';
import { type DeliveryFigures, newDeliveryFigures } from '../metrics/delivery-figures.js';
import { Admission } from './admission.js';
import { Beginnings } from './beginnings.js';
import type { DeliveryParts, DeliverySettings } from './delivery-settings.js';
import { Drain } from './drain.js';
import { Hub } from './hub.js';
import { LatencyMeter } from './latency-meter.js';
import { Pump } from './pump.js';
import { Resumption } from './resumption.js';
import { type RoomChange, RoomChanges } from './room-changes.js';
import { RoomReader } from './room-reader.js';
import type { Session, Transport } from './session.js';
import { type OpenRequest, Sessions } from './sessions.js';
import { ShardInterest } from './shard-interest.js';
import { Slicer } from './slicer.js';
import { type SessionBacklog, Sweeper } from './sweeper.js';
import { Timeline } from './timeline.js';
import { WriteAllowance } from './write-allowance.js';

/** How often stalled sessions are looked for and idle ones moved to the head, ms. */
const SWEEP_MS = 1000;
/** Rooms that the status lists. */
const LISTED_ROOMS = 1000;

/** The one engine under both wires: follows the log and moves every session along it. */
export class Delivery {
  /** Rooms for those who ask instead of listening. */
  readonly rooms: RoomReader;
  /** What it counts while it works. */
  readonly figures: DeliveryFigures = newDeliveryFigures();
  readonly #parts: DeliveryParts;
  readonly #timeline: Timeline;
  readonly #interest: ShardInterest;
  readonly #slicer: Slicer;
  readonly #hub = new Hub();
  readonly #admission: Admission;
  readonly #sessions: Sessions;
  readonly #resumption: Resumption;
  readonly #beginnings: Beginnings;
  readonly #pump: Pump;
  readonly #sweeper: Sweeper;
  readonly #roomChanges: RoomChanges;
  readonly #endSweep: () => void;
  #logState: LogState = 'starting';
  #closing = false;

  constructor(settings: DeliverySettings, parts: DeliveryParts) {
    this.#parts = parts;
    this.#timeline = new Timeline(parts.types, settings.memory, parts.counters, parts.log.shards);
    this.#interest = new ShardInterest({
      ...parts,
      timeline: this.#timeline,
      mainRoom: settings.defaultRooms[0] ?? '',
    });
    this.rooms = new RoomReader(this.#timeline, this.#interest);
    this.#slicer = new Slicer(this.#timeline);
    this.#admission = new Admission(settings, this.#hub);
    const { maxEventsPerSecondPerClient: perSecond } = settings;
    this.#sessions = new Sessions({
      admission: this.#admission,
      hub: this.#hub,
      defaultRooms: settings.defaultRooms,
      newId: parts.newSessionId,
      newAllowance: () => (perSecond === 0 ? null : new WriteAllowance(perSecond, parts.clock.elapsed())),
      scopeOf: (rooms) => this.#timeline.scopes.of(rooms),
      traffic: this.figures.traffic,
    });
    this.#resumption = new Resumption(parts.log, this.#timeline, this.#slicer, parts.clock);
    const onFault = (session: Session, error: unknown): void => {
      this.#fault(session, error);
    };
    this.#beginnings = new Beginnings({
      heartbeatMs: settings.heartbeatMs,
      profile: parts.profile,
      timeline: this.#timeline,
      slicer: this.#slicer,
      resumption: this.#resumption,
      interest: this.#interest,
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
      latency: new LatencyMeter({
        timeline: this.#timeline,
        hub: this.#hub,
        clock: parts.clock,
        latencyMs: this.figures.latencyMs,
      }),
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
    this.#roomChanges = new RoomChanges({
      admission: this.#admission,
      hub: this.#hub,
      timeline: this.#timeline,
      slicer: this.#slicer,
      sweeper: this.#sweeper,
      interest: this.#interest,
      counters: parts.counters,
      wake: (session) => {
        this.#pump.wake(session);
      },
    });
    this.#endSweep = parts.clock.every(SWEEP_MS, () => {
      if (this.#logState === 'ready') this.#beginnings.beginWaiting();
      this.#interest.sweep(this.#hub.names());
      void this.#sweeper.sweep();
    });
  }

  /** What follows the log; give it to {@link EventLog.start}. */
  readonly tail: LogTail = {
    reset: (floor) => {
      this.#timeline.reset(floor);
      // Sessions of quiet rooms, too, must learn of the gap.
      const { shards } = this.#timeline;
      const shard = shards.ofId(floor);
      const rooms = [...this.#hub.names()].filter((room) => shards.ofRoom(room) === shard);
      if (rooms.length > 0) this.#pump.changed(new Set(rooms));
    },
    entries: (batch) => {
      this.#append(batch);
    },
    caughtUp: (shard) => {
      this.#timeline.caughtUp(shard);
      this.#interest.caughtUp(shard);
      this.#roomChanges.caughtUp(shard);
      this.#beginnings.beginReady();
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
      for (const room of rooms) this.#interest.want(room);
      this.#beginnings.begin(session, request.cursor);
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
    const { state, isOwed, rooms, position, coveredFrom, scope } = session;
    if (state !== 'live' || isOwed || position < coveredFrom) return null;
    return this.#timeline.isWholeFor(rooms, position) ? this.#timeline.cursorAt(position, scope) : null;
  }

  /** Adds rooms (any value a client sent); their snapshot goes to the session. Answers all it has now. */
  join(session: Session, rooms: unknown): readonly string[] | Refusal {
    return this.changeRooms(session, { join: rooms, leave: [] });
  }

  /** Takes rooms away (any value a client sent). Answers all it has left. */
  leave(session: Session, rooms: unknown): readonly string[] | Refusal {
    return this.changeRooms(session, { join: [], leave: rooms });
  }

  /** Takes rooms away and adds others: all of it, or, where that is refused, nothing. Answers all it has then. */
  changeRooms(session: Session, change: RoomChange): readonly string[] | Refusal {
    const rooms = this.#roomChanges.change(session, change);
    this.#beginnings.roomsChanged(session);
    return rooms;
  }

  /**
   * Sends the session alone the newest values of its rooms: all, or those `wanted` says. Returns how many, with
   * those that were on their way to it already.
   */
  snapshot(session: Session, wanted: (event: Event) => boolean = () => true): number {
    return this.#roomChanges.show(session, wanted);
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
      leaving: () => [...this.#sessions].filter(leaving),
      end: (session) => {
        this.end(session, reason);
      },
    });
  }

  /** Ends all sessions and takes no more. */
  shutDown(): void {
    this.turnAway();
    this.#endSweep();
    for (const session of this.#sessions) this.end(session, 'shutting_down');
  }

  /** Figures for the status page. */
  status(): DeliveryStatus {
    return {
      sessions: this.#sessions.counts(),
      rooms: Object.fromEntries(this.#hub.largest(LISTED_ROOMS)),
      eventsHeld: this.#timeline.length,
      cursor: this.#timeline.headCursor,
      windowMs: this.#pump.windowMs,
      flushes: this.#pump.flushes,
      backlog: this.#sweeper.backlog,
    };
  }

  #check(request: Pick<OpenRequest, 'address' | 'rooms'>): readonly string[] | Refusal {
    const checked = this.#closing
      ? new Refusal('shutting_down', 'this node is going down', 1000)
      : this.#sessions.check(request);
    if (checked instanceof Refusal) this.#parts.counters.add('sessions_refused', checked.code);
    return checked;
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

/** What {@link Delivery.status} tells. */
export interface DeliveryStatus {
  readonly sessions: Readonly<Record<Transport, number>>;
  /** Sessions by room, of at most 1000 rooms the largest. */
  readonly rooms: Readonly<Record<string, number>>;
  readonly eventsHeld: number;
  readonly cursor: string;
  readonly windowMs: number;
  readonly flushes: number;
  /** How far sessions are behind, found out once a second. */
  readonly backlog: SessionBacklog;
}
