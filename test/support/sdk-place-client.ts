import { Emitter } from '../../src/client/emitter.js';
import { StreamPlace } from '../../src/client/stream-place.js';
import type { StreamNews } from '../../src/client/stream-parts.js';
import type { GatewayEvent } from '../../src/client/wire.js';
import type { Delivery } from '../../src/core/delivery/delivery.js';
import type { Session } from '../../src/core/delivery/session.js';
import { Refusal } from '../../src/core/errors.js';
import { type Event, eventToJson } from '../../src/core/event.js';
import { freeCaller } from './caller.js';
import { RecordingOutlet } from './recording-outlet.js';

const OPEN = new AbortController().signal;

/**
 * What the SDK makes of what nodes write ({@link StreamPlace}), without wires between them. What was written is read later, or
 * lost with the connection: block by block, so that it may be cut inside a flush.
 */
export class SdkPlaceClient {
  /** What it told, in order. */
  readonly told: GatewayEvent[] = [];
  gaps = 0;
  /** Times it came back with its cursor. */
  resumed = 0;
  readonly place: StreamPlace;
  #delivery: Delivery | undefined;
  #session: Session | undefined;
  #inbox: (() => void)[] = [];
  /** Rooms whose newest values it is still to ask for. */
  #unknown: readonly string[] = [];

  constructor(rooms: readonly string[]) {
    const news = new Emitter<StreamNews>();
    news.on('event', (event) => this.told.push(event));
    this.place = new StreamPlace(rooms, null, news);
  }

  get isConnected(): boolean {
    return this.#session !== undefined;
  }

  connect(delivery: Delivery): void {
    if (this.#session !== undefined) return;
    const outlet = new RecordingOutlet();
    outlet.welcome = (welcome) => {
      this.#inbox.push(() => {
        if (welcome.resumed) this.resumed += 1;
        this.#unknown = this.place.begin({ ...welcome, sessionId: '', profile: '', heartbeatMs: 0 });
      });
    };
    outlet.gap = (gap) => {
      this.#inbox.push(() => {
        this.gaps += 1;
        this.place.missed(gap);
      });
    };
    outlet.onWrite = ({ slices, cursor }) => {
      for (const [index, { events }] of slices.entries()) {
        const isLast = index === slices.length - 1;
        this.#inbox.push(() => {
          this.place.take(events.map(asReceived), isLast ? cursor : null, OPEN);
        });
      }
    };
    const session = delivery.open({
      principal: freeCaller(),
      address: '10.0.0.1',
      transport: 'sse',
      outlet,
      rooms: [...this.place.rooms],
      cursor: this.place.cursor,
    });
    if (session instanceof Refusal) throw new Error(`refused: ${session.code}`);
    this.#delivery = delivery;
    this.#session = session;
  }

  /** The connection breaks; the last `lost` blocks never arrive. */
  disconnect(lost: number): void {
    if (this.#session !== undefined) this.#delivery?.close(this.#session);
    this.#session = undefined;
    if (lost > 0) this.#inbox.splice(-lost);
    this.read();
    this.#unknown = [];
  }

  /** Reads what was written to it. */
  read(): void {
    for (const take of this.#inbox.splice(0)) take();
  }

  /** What a heartbeat does: takes the cursor, where there is one. */
  ping(): void {
    const cursor = this.#session === undefined ? null : (this.#delivery?.cursorOf(this.#session) ?? null);
    if (cursor === null) return;
    this.#inbox.push(() => {
      this.place.take([], cursor, OPEN);
    });
  }

  /** Joins a room, or leaves it where it is in it. */
  change(room: string): void {
    if (this.#session === undefined) return;
    this.read();
    const isJoin = !this.place.rooms.includes(room);
    if (isJoin) this.place.joining([room]);
    const rooms = this.#delivery?.[isJoin ? 'join' : 'leave'](this.#session, [room]);
    if (rooms === undefined || rooms instanceof Refusal) throw new Error('the rooms were not changed');
    this.place.roomsChanged(rooms);
  }

  /** Asks for the newest values of the rooms its cursor does not speak of, and shows them where they are new enough. */
  ask(): void {
    this.read();
    this.#unknown = this.#unknown.filter((room) => {
      const state = this.#delivery?.rooms.state(room);
      if (state === undefined || state instanceof Refusal) return true;
      return (
        this.place.rooms.includes(room) &&
        !this.place.show({ ...state, events: state.events.map(asReceived) })
      );
    });
  }
}

function asReceived(event: Event): GatewayEvent {
  return JSON.parse(eventToJson(event)) as GatewayEvent;
}
