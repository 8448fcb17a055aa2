import { addressBlock } from '../address-block.js';
import type { Rights } from '../auth/rights.js';
import { isRoomName } from '../event.js';
import { Refusal } from '../errors.js';
import type { Hub } from './hub.js';

/** Limits on what sessions may hold open. */
export interface SessionLimits {
  /** Sessions in all; 0 = no limit. */
  readonly maxConnections: number;
  /** Sessions from one address, or one IPv6 /64; 0 = no limit. */
  readonly maxConnectionsPerAddress: number;
  /** Rooms of one session. */
  readonly maxRoomsPerSession: number;
  /** Members of one room, where `roomOverflow` is `reject`. */
  readonly maxRoomSize: number;
  /** `split`: a room takes any number of members. `reject`: {@link maxRoomSize} is a hard limit. */
  readonly roomOverflow: 'split' | 'reject';
}

/** Names in a list for each room that a session may have: lists may name rooms twice, or rooms it has not. */
const NAMES_PER_ROOM = 10;

/** Says who may come in: connections in all and by {@link addressBlock}, rooms by name, number and size. */
export class Admission {
  readonly #limits: SessionLimits;
  readonly #hub: Hub;
  readonly #byAddress = new Map<string, number>();
  #count = 0;

  constructor(limits: SessionLimits, hub: Hub) {
    this.#limits = limits;
    this.#hub = hub;
  }

  /** Why one more connection from `address` would be refused now; undefined when it would not. */
  refusalFor(address: string): Refusal | undefined {
    const { maxConnections, maxConnectionsPerAddress } = this.#limits;
    const fromAddress = this.#byAddress.get(addressBlock(address)) ?? 0;
    if (maxConnections > 0 && this.#count >= maxConnections) {
      return new Refusal('too_many_connections', 'this node takes no more connections', 5000);
    }
    if (maxConnectionsPerAddress > 0 && fromAddress >= maxConnectionsPerAddress) {
      return new Refusal('too_many_connections', 'too many connections from this address', 5000);
    }
    return undefined;
  }

  /** Counts a connection in. */
  enter(address: string): void {
    const block = addressBlock(address);
    this.#count += 1;
    this.#byAddress.set(block, (this.#byAddress.get(block) ?? 0) + 1);
  }

  /** Counts a connection out again. */
  leave(address: string): void {
    const block = addressBlock(address);
    const left = (this.#byAddress.get(block) ?? 1) - 1;
    this.#count -= 1;
    if (left === 0) this.#byAddress.delete(block);
    else this.#byAddress.set(block, left);
  }

  /** Refuses `rooms` (any value a client sent) where it is a list of more names than make sense. Looks at none of them. */
  checkLength(rooms: unknown): Refusal | undefined {
    const maxNames = NAMES_PER_ROOM * this.#limits.maxRoomsPerSession;
    return Array.isArray(rooms) && rooms.length > maxNames
      ? new Refusal('too_many_rooms', `a list names at most ${String(maxNames)} rooms`)
      : undefined;
  }

  /** Refuses `rooms` (any value a client sent) unless it is a list of rooms' names. */
  checkNames(rooms: unknown): readonly string[] | Refusal {
    const tooLong = this.checkLength(rooms);
    if (tooLong !== undefined) return tooLong;
    if (Array.isArray(rooms) && rooms.every(isRoomName)) return rooms;
    if (isMissing(rooms)) {
      return new Refusal(
        'invalid_room',
        'the room is missing: name one or more, each 1–128 of A-Z a-z 0-9 _ . : -',
      );
    }
    return new Refusal('invalid_room', 'rooms must be a list of names of 1–128 of A-Z a-z 0-9 _ . : -');
  }

  /** Refuses `rooms` (any value a client sent) unless it is a list of names that may be added to `held` by these rights. */
  checkRooms(rooms: unknown, held: ReadonlySet<string>, rights: Rights): readonly string[] | Refusal {
    const names = this.checkNames(rooms);
    if (names instanceof Refusal) return names;
    const anew = [...new Set(names)].filter((room) => !held.has(room));
    const forbidden = anew.find((room) => !rights.maySubscribe(room));
    if (forbidden !== undefined) {
      return new Refusal('forbidden', `the room ${forbidden} may not be subscribed to`);
    }
    if (held.size + anew.length > this.#limits.maxRoomsPerSession) {
      return new Refusal(
        'too_many_rooms',
        `a session has at most ${String(this.#limits.maxRoomsPerSession)} rooms`,
      );
    }
    if (this.#limits.roomOverflow === 'reject') {
      const full = anew.find((room) => this.#hub.members(room).size >= this.#limits.maxRoomSize);
      if (full !== undefined) return new Refusal('room_full', `the room ${full} takes no more members`, 5000);
    }
    return anew;
  }
}

/** True where a client named no room at all: nothing, or a list of nothing. */
export function isMissing(rooms: unknown): boolean {
  return isNothing(rooms) || (Array.isArray(rooms) && rooms.length > 0 && rooms.every(isNothing));
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null;
}
