import type { Rights } from './auth/rights.js';
import type { Clock } from './clock.js';
import { Refusal } from './errors.js';
import { type NewEvent, parseEvent } from './event.js';
import { type ParsedJson, parseWithSources } from './json-source.js';
import type { EventLog } from './log/event-log.js';
import type { Counters } from './metrics/counters.js';

/** Most events in one publication. */
export const MAX_EVENTS = 1000;

const NOWHERE = new Refusal('forbidden', 'you have no right to publish to any room');

/** The way in for events that reach this process: checks them, then appends all or none to the log. */
export class Publisher {
  readonly #log: EventLog;
  readonly #clock: Clock;
  readonly #counters: Counters;
  readonly #maxDataBytes: number;
  readonly #roomsOf: (event: NewEvent) => readonly string[];

  /** `roomsOf` tells the rooms an event goes to. */
  constructor(
    log: EventLog,
    clock: Clock,
    counters: Counters,
    maxDataBytes: number,
    roomsOf: (event: NewEvent) => readonly string[],
  ) {
    this.#log = log;
    this.#clock = clock;
    this.#counters = counters;
    this.#maxDataBytes = maxDataBytes;
    this.#roomsOf = roomsOf;
  }

  /** Why a caller of these rights can publish nothing at all, before what it wants to publish is read. Counted. */
  refusalFor(rights: Rights): Refusal | undefined {
    if (!rights.mayPublishNowhere) return undefined;
    this.#counters.add('events_refused', NOWHERE.code);
    return NOWHERE;
  }

  /**
   * Publishes one event or an array of 1–1000, the JSON text that a client sent, by its rights. Resolves with an id each once the
   * log has them; refuses, and stores nothing, when one of them is invalid or not allowed, or the log can't be reached.
   */
  async publish(text: string, rights: Rights): Promise<readonly string[] | Refusal> {
    const events = this.#check(text, rights);
    const ids = events instanceof Refusal ? events : await this.#log.append(events);
    if (ids instanceof Refusal) this.#counters.add('events_refused', ids.code);
    return ids;
  }

  #check(text: string, rights: Rights): NewEvent[] | Refusal {
    const parsed = parse(text);
    if (parsed instanceof Refusal) return parsed;
    const { value, sources } = parsed;
    const inputs: unknown[] = Array.isArray(value) ? value : [value];
    if (inputs.length === 0) return new Refusal('invalid_event', 'an empty array publishes nothing');
    if (inputs.length > MAX_EVENTS) {
      return new Refusal('too_many_events', `at most ${String(MAX_EVENTS)} events at once`);
    }
    const limits = { maxDataBytes: this.#maxDataBytes, nowMs: this.#clock.now() };
    const events: NewEvent[] = [];
    for (const [index, one] of inputs.entries()) {
      const event = this.#allowed(parseEvent(one, sources[index], limits), rights);
      if (event instanceof Refusal) {
        return Array.isArray(value)
          ? new Refusal(event.code, `event ${String(index)}: ${event.message}`)
          : event;
      }
      events.push(event);
    }
    return events;
  }

  /** An event may be published where its type may be, and to all rooms it goes to. */
  #allowed(event: NewEvent | Refusal, rights: Rights): NewEvent | Refusal {
    if (event instanceof Refusal || rights.mayPublishAnywhere) return event;
    if (!rights.mayPublishType(event.type)) {
      return new Refusal('forbidden', `events of the type ${event.type} may not be published by this caller`);
    }
    const forbidden = this.#roomsOf(event).find((room) => !rights.mayPublish(room));
    return forbidden === undefined
      ? event
      : new Refusal('forbidden', `nothing may be published to the room ${forbidden}`);
  }
}

/** The events of a JSON text, with the source of each one's `data`. */
function parse(text: string): ParsedJson | Refusal {
  if (text.trim() === '') {
    return new Refusal('invalid_json', 'the event is missing: send one, or a list of events, as JSON');
  }
  return parseWithSources(text, 'data');
}
