import { Refusal } from '../errors.js';
import { type LogEntry, parseFields } from '../event.js';
import { msOf } from './log-id.js';
import type { RefusedEvents } from './refused-events.js';

/** An entry of a stream as Redis gives it: its id, and fields and values in turn. */
export type RawEntry = [id: string, fields: string[]];

/** What a {@link StreamParser} needs to know. */
export interface StreamParserParts {
  /** Most bytes of one event's data. */
  readonly maxDataBytes: number;
  readonly refused: RefusedEvents;
}

/** Reads the entries of the stream; entries that are no events reach no client and are counted. */
export class StreamParser {
  readonly #parts: StreamParserParts;

  constructor(parts: StreamParserParts) {
    this.#parts = parts;
  }

  /** The entries that are events. */
  parse(raw: readonly RawEntry[]): LogEntry[] {
    const { maxDataBytes, refused } = this.#parts;
    const entries: LogEntry[] = [];
    for (const [id, flat] of raw) {
      const fields = new Map<string, string>();
      for (let index = 0; index + 1 < flat.length; index += 2) {
        fields.set(flat[index] as string, flat[index + 1] as string);
      }
      const event = parseFields(fields, { maxDataBytes, nowMs: msOf(id) });
      if (event instanceof Refusal) refused.note(event);
      else entries.push({ ...event, id });
    }
    return entries;
  }
}
