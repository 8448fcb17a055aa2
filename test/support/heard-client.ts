import {
  type ClientOptions,
  FlipgateClient,
  type Gap,
  type GatewayEvent,
  type StateChange,
  type Welcome,
} from '../../src/client/index.js';
import { waitUntil } from './wait-until.js';

const opened = new Set<{ close(): void }>();

/** Has what was opened closed by {@link closeClients}. */
export function closedLater<C extends { close(): void }>(client: C): C {
  opened.add(client);
  return client;
}

/** Closes every client of this test; for `afterEach`. */
export function closeClients(): void {
  for (const client of opened) client.close();
  opened.clear();
}

/** A client of the SDK, and all that it told. */
export class HeardClient {
  readonly client: FlipgateClient;
  readonly events: GatewayEvent[] = [];
  readonly states: StateChange[] = [];
  readonly gaps: Gap[] = [];
  readonly welcomes: Welcome[] = [];

  constructor(url: string | readonly string[], options: ClientOptions = {}) {
    this.client = closedLater(new FlipgateClient(url, options));
    this.client.on('*', (event) => this.events.push(event));
    this.client.onState((change) => this.states.push(change));
    this.client.onGap((gap) => this.gaps.push(gap));
    this.client.onWelcome((welcome) => this.welcomes.push(welcome));
  }

  /** The ids of the events of a type, in the order they came. */
  ids(type: string): string[] {
    return this.events.filter((event) => event.type === type).map(({ id }) => id);
  }

  /** Waits until it is live, over that transport where one is named. */
  async isLive(transport?: string): Promise<void> {
    await waitUntil(
      () => this.client.state === 'live' && (transport === undefined || this.client.transport === transport),
      `the client to be live over ${transport ?? 'any transport'}`,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}; ${JSON.stringify(this.states.slice(-5))}`);
    });
  }

  /** Waits until the event with this id came. */
  async has(id: string | undefined): Promise<void> {
    await waitUntil(() => this.events.some((event) => event.id === id), `the event ${String(id)}`).catch(
      (error: unknown) => {
        throw new Error(`${String(error)}; ${JSON.stringify(this.states.slice(-8))}`);
      },
    );
  }
}
