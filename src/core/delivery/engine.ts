import type { DeliveryFigures } from '../metrics/delivery-figures.js';
import { Admission } from './admission.js';
import { Beginnings } from './beginnings.js';
import type { Clock } from '../clock.js';
import type { DeliveryParts, DeliverySettings } from './delivery-settings.js';
import { Hub } from './hub.js';
import { LatencyMeter } from './latency-meter.js';
import { Pump } from './pump.js';
import { Resumption } from './resumption.js';
import { RoomChanges } from './room-changes.js';
import type { Session } from './session.js';
import { Sessions } from './sessions.js';
import { Slicer } from './slicer.js';
import { Sweeper } from './sweeper.js';
import { WorkLimit } from './work-limit.js';
import { Timeline } from './timeline.js';

/** Values that cost as much to show as a room costs to join. */
const VALUES_PER_ROOM = 10;

/** Rooms that a session may join and leave in a second, however few it may have at a time. */
const MIN_PER_SESSION = 50;

/** What the parts of an {@link Engine} can't do by themselves. */
export interface EngineEnds {
  /** Must end the session: it is too slow. */
  readonly onTooSlow: (session: Session) => void;
  /** Must end the session: its connection threw where it must not. */
  readonly onFault: (session: Session, error: unknown) => void;
}

/** What delivery is made of, put together: {@link Delivery} is its face. */
export class Engine {
  readonly timeline: Timeline;
  readonly slicer: Slicer;
  readonly hub = new Hub();
  readonly admission: Admission;
  readonly sessions: Sessions;
  readonly resumption: Resumption;
  readonly beginnings: Beginnings;
  readonly pump: Pump;
  readonly sweeper: Sweeper;
  readonly roomChanges: RoomChanges;

  /** `figures` is where it counts. */
  constructor(
    settings: DeliverySettings,
    parts: DeliveryParts,
    figures: DeliveryFigures,
    { onTooSlow, onFault }: EngineEnds,
  ) {
    this.timeline = new Timeline(parts.types, settings.memory, parts.counters);
    this.slicer = new Slicer(this.timeline);
    this.admission = new Admission(settings, this.hub);
    this.sessions = new Sessions({
      admission: this.admission,
      hub: this.hub,
      defaultRooms: settings.defaultRooms,
      newId: parts.newSessionId,
      traffic: figures.traffic,
    });
    this.resumption = new Resumption(parts.log, this.timeline, this.slicer, parts.clock);
    this.beginnings = new Beginnings({
      heartbeatMs: settings.heartbeatMs,
      profile: parts.profile,
      timeline: this.timeline,
      slicer: this.slicer,
      resumption: this.resumption,
      counters: parts.counters,
      onLive: (session) => {
        this.pump.wake(session);
      },
      onFault,
    });
    this.pump = new Pump({
      timeline: this.timeline,
      slicer: this.slicer,
      hub: this.hub,
      clock: parts.clock,
      window: settings.window,
      latency: new LatencyMeter({
        timeline: this.timeline,
        hub: this.hub,
        clock: parts.clock,
        latencyMs: figures.latencyMs,
      }),
      traces: parts.traces,
      stretchSessions: settings.maxRoomSize,
      maxQueue: settings.maxQueuePerClient,
      onOverflow: (session, dropped) => {
        parts.counters.add('events_dropped', 'client_queue', dropped);
        this.beginnings.announceOverflow(session, dropped);
      },
      onLost: (session) => {
        this.beginnings.beginAfterGap(session, this.timeline.lossAt(session.position));
      },
      onFault,
    });
    this.sweeper = new Sweeper({
      sessions: this.sessions,
      timeline: this.timeline,
      clock: parts.clock,
      maxBacklogMs: settings.maxBacklogMs,
      onTooSlow,
    });
    this.roomChanges = new RoomChanges({
      admission: this.admission,
      beginnings: this.beginnings,
      hub: this.hub,
      timeline: this.timeline,
      slicer: this.slicer,
      sweeper: this.sweeper,
      counters: parts.counters,
      changeLimit: workLimit(settings, parts.clock, 1),
      snapshotLimit: workLimit(settings, parts.clock, VALUES_PER_ROOM),
      wake: (session) => {
        this.pump.wake(session);
      },
    });
  }
}

/** The limit of work of which so many units cost as much as a room. */
function workLimit(settings: DeliverySettings, clock: Clock, unitsPerRoom: number): WorkLimit {
  const { maxRoomsPerSession, maxRoomChangesPerSecond } = settings;
  const rates = {
    perSession: Math.max(maxRoomsPerSession, MIN_PER_SESSION) * unitsPerRoom,
    perPrincipal: maxRoomChangesPerSecond * unitsPerRoom,
  };
  return new WorkLimit(rates, clock);
}
