import { type Event, isRoomName, isTypeName, type LogEntry, type NewEvent } from './event.js';

/** What coalescing may do with a type's events. */
export interface EventType {
  /** `latest`: within a slot the newest wins. `append`: every event is delivered. */
  readonly policy: 'latest' | 'append';
  /** Rooms that get the type's events when they name none; default: the configuration's `DEFAULT_ROOMS`. */
  readonly rooms?: readonly string[];
  /**
   * `shape`: events of this type whose data has different top-level property names are different things under
   * one name, and never swallow each other. Only for `latest` without a key.
   */
  readonly per?: 'shape';
}

/**
 * The table of event types (`config/event-types.json`): decides which rooms an event goes to and what it may be
 * coalesced with. A type the table does not list is `append`; an event with a key is always `latest`.
 */
export class EventTypes {
  readonly #types: ReadonlyMap<string, EventType>;
  readonly #defaultRooms: readonly string[];

  constructor(types: ReadonlyMap<string, EventType>, defaultRooms: readonly string[]) {
    this.#types = types;
    this.#defaultRooms = defaultRooms;
  }

  /** Reads the table's JSON; an array of faults, in words, when it is not such a table. */
  static parse(json: unknown, defaultRooms: readonly string[]): EventTypes | string[] {
    if (typeof json !== 'object' || json === null || Array.isArray(json)) {
      return ['event types must be an object {"<type>": {"policy": "latest" | "append", …}}'];
    }
    const types = new Map<string, EventType>();
    const faults: string[] = [];
    for (const [name, value] of Object.entries(json)) {
      const quoted = JSON.stringify(name);
      if (!isTypeName(name)) faults.push(`${quoted} is no event type: use 1–128 of A-Z a-z 0-9 _ . : -`);
      else if (isEventType(value)) types.set(name, value);
      else {
        faults.push(
          `${quoted} must be {"policy": "latest" | "append", "rooms"?: [room, …], "per"?: "shape"}`,
        );
      }
    }
    return faults.length > 0 ? faults : new EventTypes(types, defaultRooms);
  }

  /** The entry as each of its rooms gets it; `position` is its place in this process's timeline. */
  place(entry: LogEntry, position: number): Event[] {
    const slot = this.#slot(entry);
    return this.roomsOf(entry).map((room) => ({ ...entry, room, slot, position }));
  }

  /** The rooms an event of this type goes to: the one it names, else its type's, else the default rooms. */
  roomsOf(event: Pick<NewEvent, 'type' | 'room'>): readonly string[] {
    if (event.room !== undefined) return [event.room];
    return this.#types.get(event.type)?.rooms ?? this.#defaultRooms;
  }

  #slot(event: NewEvent): string | null {
    if (event.key !== undefined) return `${event.type}\n${event.key}`;
    const type = this.#types.get(event.type);
    if (type?.policy !== 'latest') return null;
    return type.per === 'shape' ? `${event.type}\n\n${shapeOf(event.dataJson)}` : event.type;
  }
}

/** The sorted top-level property names of an object, or the kind of any other value. */
function shapeOf(dataJson: string): string {
  const data: unknown = JSON.parse(dataJson);
  if (Array.isArray(data)) return 'array';
  if (typeof data !== 'object' || data === null) return typeof data;
  return JSON.stringify(Object.keys(data).sort());
}

function isEventType(value: unknown): value is EventType {
  if (typeof value !== 'object' || value === null) return false;
  const { policy, rooms, per, ...rest } = value as Record<string, unknown>;
  return (
    (policy === 'latest' || policy === 'append') &&
    (rooms === undefined || (Array.isArray(rooms) && rooms.length > 0 && rooms.every(isRoomName))) &&
    (per === undefined || (per === 'shape' && policy === 'latest')) &&
    Object.keys(rest).length === 0
  );
}
