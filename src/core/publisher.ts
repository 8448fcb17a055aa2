import type { Clock } from './clock.js';
import { Refusal } from './errors.js';
import { type NewEvent, parseEvent } from './event.js';
import type { EventLog } from './log/event-log.js';
import type { Counters } from './metrics/counters.js';

/** Most events in one publication. */
export const MAX_EVENTS = 1000;

/** The way in for events that reach this process: checks them, then appends all or none to the log. */
export class Publisher {
  readonly #log: EventLog;
  readonly #clock: Clock;
  readonly #counters: Counters;
  readonly #maxDataBytes: number;

  constructor(log: EventLog, clock: Clock, counters: Counters, maxDataBytes: number) {
    this.#log = log;
    this.#clock = clock;
    this.#counters = counters;
    this.#maxDataBytes = maxDataBytes;
  }

  /**
   * Publishes one event or an array of 1–1000, as a client sent them. Resolves with an id each once the log has
   * them; refuses, and stores nothing, when one of them is invalid or the log can't be reached.
   */
  async publish(input: unknown): Promise<readonly string[] | Refusal> {
    const events = this.#check(input);
    const ids = events instanceof Refusal ? events : await this.#log.append(events);
    if (ids instanceof Refusal) this.#counters.add('events_refused', ids.code);
    return ids;
  }

  #check(input: unknown): NewEvent[] | Refusal {
    const inputs: unknown[] = Array.isArray(input) ? input : [input];
    if (inputs.length === 0) return new Refusal('invalid_event', 'an empty array publishes nothing');
    if (inputs.length > MAX_EVENTS) {
      return new Refusal('too_many_events', `at most ${String(MAX_EVENTS)} events at once`);
    }
    const limits = { maxDataBytes: this.#maxDataBytes, nowMs: this.#clock.now() };
    const events: NewEvent[] = [];
    for (const [index, one] of inputs.entries()) {
      const event = parseEvent(one, limits);
      if (event instanceof Refusal) {
        return Array.isArray(input)
          ? new Refusal(event.code, `event ${String(index)}: ${event.message}`)
          : event;
      }
      events.push(event);
    }
    return events;
  }
}
