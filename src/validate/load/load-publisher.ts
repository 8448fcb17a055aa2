import { setTimeout as sleep } from 'node:timers/promises';
import type { GatewayError } from '../../client/gateway-error.js';
import { publishEvents } from '../../client/publish-events.js';
import type { NewEvent } from '../../client/wire.js';
import { tokenHint } from '../../token-hint.js';
import { APPEND_TYPE, eventAt, eventsPerSecond, type LoadShape, roomName, VALUE_TYPE } from './load-shape.js';
import type { LoadServer } from './messages.js';
import type { LoadData } from './received.js';

/** Events of one publication at most: what is due beyond it goes into the next. */
const MOST_AT_ONCE = 500;

/** A server that can't take a load is left alone after so many times as long as the load should have taken. */
const PATIENCE = 3;

/** When an event began its way, epoch ms. */
export interface Beginning {
  /** When it was sent. */
  readonly sentAt: number;
  /** The time in its id: when the log took it. */
  readonly loggedAt: number;
}

/** Publishes a load's events over `POST /api/events`, in their order, one publication after another. */
export class LoadPublisher {
  readonly #server: LoadServer;
  readonly #run: string;
  readonly #shape: LoadShape;
  readonly #text: string;
  readonly #beginnings: Beginning[] = [];

  constructor(server: LoadServer, run: string, shape: LoadShape) {
    this.#server = server;
    this.#run = run;
    this.#shape = shape;
    this.#text = 'x'.repeat(shape.bytes);
  }

  /** Events below this number are published: the log has them. */
  get next(): number {
    return this.#beginnings.length;
  }

  /** When each event from number `from` on began its way. */
  beginnings(from: number): readonly Beginning[] {
    return this.#beginnings.slice(from);
  }

  /**
   * Publishes the next `count` events at the load's rate, each when it is due; what becomes due while the server has not
   * answered goes together. Resolves with the seconds it took; after {@link PATIENCE} times as long as it should have
   * taken it leaves it at what is published by then. Rejects with an error that says what the server refused with, or that it does not answer.
   */
  async publish(count: number): Promise<number> {
    const startedAt = performance.now();
    const rate = eventsPerSecond(this.#shape);
    const first = this.next;
    const plannedMs = (count / rate) * 1000;
    while (this.next < first + count && performance.now() - startedAt < plannedMs * PATIENCE) {
      const due = Math.min(count, Math.floor(((performance.now() - startedAt) / 1000) * rate) + 1);
      const ready = Math.min(MOST_AT_ONCE, first + due - this.next);
      if (ready > 0) await this.#send(ready);
      else await sleep(startedAt + ((this.next - first) / rate) * 1000 - performance.now());
    }
    // The last event has its time too.
    const left = plannedMs - (performance.now() - startedAt);
    if (left > 0) await sleep(left);
    return (performance.now() - startedAt) / 1000;
  }

  async #send(count: number): Promise<void> {
    const { url, token } = this.#server;
    const from = this.next;
    const events = Array.from({ length: count }, (_, index) => this.#event(from + index));
    const sentAt = Date.now();
    try {
      const ids = await publishEvents({ url: () => `${url}/api/events`, token, events });
      for (let index = 0; index < count; index += 1) {
        this.#beginnings.push({ sentAt, loggedAt: Number.parseInt(ids[index] ?? '', 10) });
      }
    } catch (error) {
      const { code, message } = error as GatewayError;
      const hint = tokenHint(code, 'rights to publish in the rooms validate-1, validate-2, …');
      throw new Error(`events could not be published: ${code}: ${message}${hint}`, { cause: error });
    }
  }

  #event(n: number): NewEvent {
    const { key, room } = eventAt(this.#shape, n);
    const data: LoadData = { run: this.#run, n, text: this.#text };
    const event = { room: roomName(room), data };
    return key === null
      ? { type: APPEND_TYPE, ...event }
      : { type: VALUE_TYPE, key: `key-${String(key)}`, ...event };
  }
}
