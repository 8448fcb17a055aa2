import { Refusal } from '../errors.js';
import { type LogEntry, type NewEvent, parseFields } from '../event.js';
import { msOf } from './log-id.js';
import type { RefusedEvents } from './refused-events.js';
import type { Shards } from './shards.js';

/** An entry of a stream as Redis gives it: its id, and fields and values in turn. */
export type RawEntry = [id: string, fields: string[]];

/** What a {@link StreamParser} needs to know. */
export interface StreamParserParts {
  readonly shards: Shards;
  /** The rooms an event goes to. */
  readonly roomsOf: (event: NewEvent) => readonly string[];
  /** Most bytes of one event's data. */
  readonly maxDataBytes: number;
  readonly refused: RefusedEvents;
}

/** Reads the entries of the streams; what is no event, or lies in another shard, reaches no client and is counted. */
export class StreamParser {
  readonly #parts: StreamParserParts;

  constructor(parts: StreamParserParts) {
    this.#parts = parts;
  }

  /** The entries of a shard that are events, with their ids in the log. */
  parse(shard: number, raw: readonly RawEntry[]): LogEntry[] {
    const { shards, refused } = this.#parts;
    const entries: LogEntry[] = [];
    for (const [id, flat] of raw) {
      const event = this.#read(shard, id, flat);
      if (event instanceof Refusal) refused.note(event);
      else entries.push({ ...event, id: shards.logId(shard, id) });
    }
    return entries;
  }

  #read(shard: number, id: string, flat: readonly string[]): NewEvent | Refusal {
    const { maxDataBytes, shards, roomsOf } = this.#parts;
    const fields = new Map<string, string>();
    for (let index = 0; index + 1 < flat.length; index += 2) {
      fields.set(flat[index] as string, flat[index + 1] as string);
    }
    const event = parseFields(fields, { maxDataBytes, nowMs: msOf(id) });
    if (event instanceof Refusal || shards.count === 1) return event;
    if (!shards.canHold(id)) return new Refusal('invalid_event', 'the sequence of the id is too large');
    const isHere = roomsOf(event).some((room) => shards.ofRoom(room) === shard);
    return isHere ? event : new Refusal('invalid_room', `no room of it lies in shard ${String(shard)}`);
  }
}
