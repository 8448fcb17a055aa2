import { bundleWire } from './bundle-wire.js';
import { eventSourceWire } from './event-source-wire.js';
import { NewestById } from './newest-by-id.js';
import { waitUntil } from './wait-until.js';
import { type WireClient, type WireEvent, WireRefused } from './wire-client.js';

/** Events a stay brings before it may end, and how long it lasts at most, ms. */
const STAY_EVENTS = 20;
const STAY_MS = 500;

/**
 * A client that goes from node to node and from wire to wire, each time with its cursor, and drops doubles and older values:
 * what it has at the end must be what the log has.
 */
export class Wanderer {
  /** What is wrong: gaps, or a room's events out of order. */
  readonly faults: string[] = [];
  /** Times it came back with its cursor, and was taken on from there. */
  resumed = 0;
  readonly #urls: readonly string[];
  readonly rooms: readonly string[];
  readonly #applied = new NewestById();
  #cursor: string | null = null;
  #running = true;
  readonly #done: Promise<void>;

  /** Sets out at once. */
  constructor(urls: readonly string[], rooms: readonly string[]) {
    this.#urls = urls;
    this.rooms = rooms;
    this.#done = this.#wander();
  }

  /** Each once, as they came. */
  get events(): readonly WireEvent[] {
    return this.#applied.applied;
  }

  /** Stays where it is and waits until it has the event of each id. */
  async settle(ids: readonly string[]): Promise<void> {
    await this.stop();
    const client = await this.#connect(0);
    await waitUntil(
      () => {
        const has = new Set([...this.events, ...(client?.got.events ?? [])].map(({ id }) => id));
        return ids.every((id) => has.has(id));
      },
      'a wanderer to have all',
      30_000,
    );
    await this.#leave(client);
  }

  /** Goes nowhere any more. */
  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
  }

  async #wander(): Promise<void> {
    for (let stay = 0; this.#running; stay += 1) {
      const client = await this.#connect(stay);
      const until = Date.now() + STAY_MS;
      await waitUntil(
        () => Date.now() > until || !this.#running || (client?.got.events.length ?? 0) >= STAY_EVENTS,
        'a stay to end',
      );
      await this.#leave(client);
    }
  }

  async #connect(stay: number): Promise<WireClient | undefined> {
    const wire = stay % 3 === 0 ? bundleWire('websocket') : eventSourceWire;
    const url = this.#urls[stay % this.#urls.length] as string;
    const cursor = this.#cursor === null ? {} : { cursor: this.#cursor };
    try {
      return await wire.connect(url, { rooms: this.rooms, ...cursor });
    } catch (error) {
      if (error instanceof WireRefused) return undefined;
      throw error;
    }
  }

  async #leave(client: WireClient | undefined): Promise<void> {
    if (client === undefined) return;
    await client.close();
    const { got } = client;
    if (got.gaps.length > 0) this.faults.push(`a gap: ${JSON.stringify(got.gaps)}`);
    if (got.welcomes.some(({ resumed }) => resumed)) this.resumed += 1;
    for (const received of got.all) this.#applied.take(received);
    this.#cursor = got.cursor ?? this.#cursor;
  }
}
