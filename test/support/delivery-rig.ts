import { randomUUID } from 'node:crypto';
import { DeniedPrincipals } from '../../src/core/auth/denied-principals.js';
import { Delivery } from '../../src/core/delivery/delivery.js';
import type { DeliverySettings } from '../../src/core/delivery/delivery-settings.js';
import type { Session } from '../../src/core/delivery/session.js';
import type { OpenRequest } from '../../src/core/delivery/sessions.js';
import { Refusal } from '../../src/core/errors.js';
import type { NewEvent } from '../../src/core/event.js';
import { EventTypes } from '../../src/core/event-types.js';
import type { EventLog } from '../../src/core/log/event-log.js';
import type { Logger } from '../../src/core/logger.js';
import { Counters } from '../../src/core/metrics/counters.js';
import { HeldLog } from './held-log.js';
import { RecordingOutlet } from './recording-outlet.js';
import { silentLogger } from './silent-logger.js';
import { freeCaller } from './caller.js';
import { TurnedClock } from './turned-clock.js';

/** What a test's delivery is told, unless it says otherwise: windows of 50–200 ms, a backlog of 10 s, ample memory. */
export const RIG_SETTINGS: DeliverySettings = {
  defaultRooms: ['default'],
  heartbeatMs: 10_000,
  window: { minMs: 50, maxMs: 200, maxWaitMs: 250 },
  maxBacklogMs: 10_000,
  memory: { maxEvents: 100_000, maxBytes: 1e9 },
  maxConnections: 0,
  maxConnectionsPerAddress: 0,
  maxRoomsPerSession: 50,
  maxRoomChangesPerSecond: 0,
  maxRoomSize: 50,
  maxQueuePerClient: 100,
  roomOverflow: 'split',
};

/** A client of a rig: its session and its connection. */
export interface RigClient {
  readonly session: Session;
  readonly outlet: RecordingOutlet;
}

/** A delivery engine on a turned clock, with a log of the test's choice (default: a ready {@link HeldLog}). */
export class DeliveryRig<Log extends EventLog = HeldLog> {
  readonly clock: TurnedClock;
  readonly counters = new Counters();
  readonly denied: DeniedPrincipals;
  readonly log: Log;
  readonly delivery: Delivery;

  constructor(
    parts: {
      readonly log: Log;
      readonly clock?: TurnedClock;
      readonly types?: EventTypes;
      readonly logger?: Logger;
    },
    settings: Partial<DeliverySettings> = {},
  ) {
    this.clock = parts.clock ?? new TurnedClock();
    this.log = parts.log;
    this.denied = new DeniedPrincipals(this.clock);
    this.delivery = new Delivery(
      { ...RIG_SETTINGS, ...settings },
      {
        log: parts.log,
        types: parts.types ?? new EventTypes(new Map(), ['default']),
        clock: this.clock,
        counters: this.counters,
        logger: parts.logger ?? silentLogger,
        denied: this.denied,
        newSessionId: randomUUID,
        profile: () => 'SSE',
        random: () => 0.5,
      },
    );
  }

  /** A rig whose log follows and is ready. */
  static ready(settings: Partial<DeliverySettings> = {}, logger: Logger = silentLogger): DeliveryRig {
    const rig = new DeliveryRig({ log: new HeldLog(), logger }, settings);
    rig.log.start(rig.delivery.tail);
    rig.log.enter('ready');
    return rig;
  }

  /** Asks to open a session; `outlet` may be the test's own. */
  request(parts: Partial<OpenRequest>): Session | Refusal {
    return this.delivery.open({
      principal: freeCaller(),
      address: '10.0.0.1',
      transport: 'sse',
      outlet: new RecordingOutlet(),
      rooms: ['a'],
      cursor: null,
      ...parts,
    });
  }

  /** Opens a session in `rooms`; throws when it is refused. */
  open(
    rooms: readonly string[] | undefined = ['a'],
    cursor: string | null = null,
    outlet = new RecordingOutlet(),
  ): RigClient {
    const session = this.request({ rooms, cursor, outlet });
    if (session instanceof Refusal) throw new Error(`refused: ${session.code}`);
    return { session, outlet };
  }

  /** Appends to the log and lets the flush that follows end. */
  async publish(events: readonly NewEvent[]): Promise<void> {
    await this.log.append(events);
    await this.clock.turn(250);
  }

  /** The client's connection takes more again. */
  async drain({ session, outlet }: RigClient): Promise<void> {
    outlet.writable = true;
    this.delivery.wake(session);
    await this.clock.turn(0);
  }
}
