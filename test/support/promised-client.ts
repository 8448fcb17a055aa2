import type { Delivery } from '../../src/core/delivery/delivery.js';
import type { Session } from '../../src/core/delivery/session.js';
import { Refusal } from '../../src/core/errors.js';
import type { Event } from '../../src/core/event.js';
import { parseCursor } from '../../src/core/log/cursor.js';
import { compareLogIds } from '../../src/core/log/log-id.js';
import { freeCaller } from './caller.js';
import { RecordingOutlet } from './recording-outlet.js';

/** An event as its room gets it, and the epoch of the log it was published in. */
export interface PublishedEvent extends Event {
  readonly epoch: string;
}

/** What was published, in the log's order, of one epoch after the other. */
export type Published = readonly PublishedEvent[];

/** A node a client may connect to. */
export interface PromisedNode {
  readonly delivery: Delivery;
  /** The index, in what was published, of the first event that has not come to the node. */
  untold(): number;
}

type Message =
  | { readonly events: readonly Event[]; readonly cursor: string | null; readonly rooms: readonly string[] }
  | { readonly epoch: string }
  | { readonly gap: string };

/**
 * A client that does what the promise of delivery asks of it (drops duplicates by id, and values that are older than the
 * one it has, until the log's epoch changes; keeps its cursor, brings it back) and checks at every step that the promise
 * is kept. What was written to it is read later, or lost with the connection.
 */
export class PromisedClient {
  readonly rooms = new Set<string>();
  /** Gaps it was told of, over all connections. */
  gaps = 0;
  session: Session | undefined;
  readonly #published: Published;
  #node: PromisedNode;
  #outlet = new RecordingOutlet();
  #inbox: Message[] = [];
  #cursor: string | null = null;
  #epoch = '';
  /** The epoch of what the session writes, read or not. */
  #sessionEpoch = '';
  /** The rooms the cursor speaks of: those it had when it was given, and has had ever since. */
  #cursorRooms: readonly string[] = [];
  /** The cursor of this connection, and the rooms it came back with. */
  #brought: string | null = null;
  #resumed: ReadonlySet<string> = new Set();
  /** By room: how many events had been published when it became entitled to all that follow. */
  readonly #since = new Map<string, number>();
  /** `epoch room id` of every event read. */
  readonly #seen = new Set<string>();
  /** The same, with what is written and not read yet. */
  #written = new Set<string>();
  readonly #lastAppend = new Map<string, string>();
  readonly #values = new Map<string, string>();

  constructor(node: PromisedNode, published: Published, rooms: readonly string[]) {
    this.#node = node;
    this.#published = published;
    for (const room of rooms) this.rooms.add(room);
  }

  /** Connects to the node it was connected to, or another, which may be behind what the client has already. */
  connect(node = this.#node): void {
    if (this.session !== undefined) return;
    // What the connection before this one brought comes before what this one brings.
    this.read();
    this.#node = node;
    const outlet = new RecordingOutlet();
    this.#outlet = outlet;
    const resuming = this.#cursor === null ? [] : this.#cursorRooms.filter((room) => this.rooms.has(room));
    const rooms = this.#cursor === null ? [...this.rooms] : resuming;
    this.#brought = this.#cursor;
    this.#resumed = new Set(resuming);
    for (const room of this.rooms) if (!resuming.includes(room)) this.#beginAnew(room);
    outlet.onWrite = ({ events, cursor }) => {
      this.#take(events, cursor);
    };
    outlet.welcome = ({ resumed, epoch }) => {
      this.#sessionEpoch = epoch;
      this.#inbox.push({ epoch });
      if (!resumed) for (const room of this.rooms) this.#entitle(room);
    };
    outlet.gap = ({ epoch }) => {
      this.#sessionEpoch = epoch;
      this.#inbox.push({ gap: epoch });
      for (const room of this.rooms) this.#entitle(room);
    };
    outlet.end = () => {
      this.session = undefined;
    };
    const session = this.#node.delivery.open({
      principal: freeCaller(),
      address: '10.0.0.1',
      transport: 'sse',
      outlet,
      rooms,
      cursor: this.#cursor,
    });
    if (session instanceof Refusal) throw new Error(`refused: ${session.code}`);
    this.session = session;
    const others = [...this.rooms].filter((room) => !rooms.includes(room));
    if (others.length > 0) this.#node.delivery.join(session, others);
  }

  /** The connection breaks; the last `lost` messages never arrive. */
  disconnect(lost: number): void {
    if (this.session !== undefined) this.#node.delivery.close(this.session);
    this.session = undefined;
    if (lost > 0) this.#inbox.splice(-lost);
    this.read();
    this.#written = new Set(this.#seen);
  }

  stall(): void {
    this.#outlet.writable = false;
  }

  drain(): void {
    this.read();
    this.#outlet.writable = true;
    if (this.session !== undefined) this.#node.delivery.wake(this.session);
  }

  join(room: string): void {
    if (this.session === undefined || this.rooms.has(room)) return;
    this.rooms.add(room);
    this.#beginAnew(room);
    this.#node.delivery.join(this.session, [room]);
  }

  leave(room: string): void {
    if (this.session === undefined || !this.rooms.delete(room)) return;
    this.#node.delivery.leave(this.session, [room]);
    // What comes back is a room joined anew, not one that a cursor from before speaks of.
    const others = (rooms: readonly string[]): string[] => rooms.filter((one) => one !== room);
    this.#cursorRooms = others(this.#cursorRooms);
    this.#inbox = this.#inbox.map((one) => ('rooms' in one ? { ...one, rooms: others(one.rooms) } : one));
  }

  /** What a heartbeat does: takes the cursor, where there is one. */
  ping(): void {
    if (this.session === undefined || !this.#outlet.writable) return;
    const cursor = this.#node.delivery.cursorOf(this.session);
    if (cursor !== null) this.#take([], cursor);
  }

  askForSnapshot(): void {
    if (this.session !== undefined) this.#node.delivery.snapshot(this.session);
  }

  /** Reads what was written to it. */
  read(): void {
    for (const message of this.#inbox.splice(0)) {
      if ('gap' in message) this.gaps += 1;
      if (!('events' in message)) {
        this.#enterEpoch('gap' in message ? message.gap : message.epoch);
        continue;
      }
      for (const event of message.events) this.#apply(event);
      if (message.cursor === null) continue;
      this.#cursor = message.cursor;
      this.#cursorRooms = message.rooms;
    }
  }

  /**
   * Throws unless it has all it was promised; call when it has had the time to get it.
   */
  check(): void {
    this.#checkCovered([...this.rooms], Infinity);
    for (const room of this.rooms) {
      const newest = new Map<string, Event>();
      for (const event of this.#published)
        if (event.room === room && event.slot !== null && event.epoch === this.#epoch)
          newest.set(event.slot, event);
      for (const [slot, event] of newest) {
        const { id } = event;
        const has = this.#values.get(`${room} ${slot}`);
        if (has !== id)
          throw new Error(`room ${room}: the final value of ${slot} is ${id}, it has ${String(has)}`);
      }
    }
  }

  /** Ids and values of another log can't be compared with those that come now. */
  #enterEpoch(epoch: string): void {
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    this.#values.clear();
    this.#lastAppend.clear();
  }

  #beginAnew(room: string): void {
    this.#lastAppend.delete(room);
    this.#entitle(room);
  }

  #entitle(room: string): void {
    this.#since.set(room, this.#node.untold());
  }

  #take(events: readonly Event[], cursor: string | null): void {
    if (!this.#outlet.writable && events.length > 0)
      throw new Error('written to although it was not writable');
    for (const event of events) {
      this.#written.add(`${this.#sessionEpoch} ${event.room} ${event.id}`);
      this.#checkNew(event);
    }
    const rooms = [...this.rooms];
    if (cursor !== null) this.#checkCovered(rooms, cursor);
    this.#inbox.push({ events, cursor, rooms });
  }

  /** What its cursor said that it has must not come again. */
  #checkNew({ room, slot, id }: Event): void {
    if (slot !== null || this.#brought === null || !this.#resumed.has(room)) return;
    if (this.#sessionEpoch !== parseCursor(this.#brought)?.epoch) return;
    if (compareLogIds(id, idIn(this.#brought)) <= 0)
      throw new Error(`room ${room}: it came back with ${this.#brought} and was given ${id} again`);
  }

  /** Everything it is entitled to, up to `cursor`, must have been written to it. */
  #checkCovered(rooms: readonly string[], cursor: string | number): void {
    for (const [index, { room, slot, id, epoch }] of this.#published.entries()) {
      if (slot !== null || !rooms.includes(room) || index < (this.#since.get(room) ?? 0)) continue;
      if (typeof cursor === 'string') {
        if (epoch !== parseCursor(cursor)?.epoch || compareLogIds(id, idIn(cursor)) > 0) continue;
      }
      if (!this.#written.has(`${epoch} ${room} ${id}`)) {
        throw new Error(`room ${room}: it was given the cursor ${String(cursor)} and never ${id}`);
      }
    }
  }

  #apply({ room, slot, id }: Event): void {
    const name = `${this.#epoch} ${room} ${id}`;
    if (this.#seen.has(name)) return;
    this.#seen.add(name);
    if (slot !== null) {
      const newest = this.#values.get(`${room} ${slot}`);
      if (newest === undefined || compareLogIds(id, newest) > 0) this.#values.set(`${room} ${slot}`, id);
      return;
    }
    const last = this.#lastAppend.get(room);
    if (last !== undefined && compareLogIds(id, last) < 0)
      throw new Error(`room ${room}: ${id} came after ${last}`);
    this.#lastAppend.set(room, id);
  }
}

function idIn(cursor: string): string {
  return parseCursor(cursor)?.id ?? '';
}
