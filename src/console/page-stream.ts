import {
  ControlClient,
  FlipgateClient,
  type Gap,
  type GatewayEvent,
  type ProfileDocument,
  type StateChange,
  type Welcome,
} from '../client/index.js';
import type { SendCommand } from './controls.js';
import type { Transport } from './transport-names.js';

/** ms a command may take before the page gives up waiting for its outcome. */
const COMMAND_MS = 15_000;

/** What hears of the stream; `transport` is the one in use. */
export interface PageStreamListener {
  readonly changed: (change: StateChange) => void;
  readonly profile: (profile: ProfileDocument) => void;
  readonly welcomed: (welcome: Welcome, transport: Transport | null) => void;
  readonly event: (event: GatewayEvent) => void;
  readonly gap: (gap: Gap) => void;
}

/** This page's stream of events and its way for commands: under one token after the other, going on where it was. */
export class PageStream {
  readonly #rooms: readonly string[];
  readonly #listener: PageStreamListener;
  #client: FlipgateClient | undefined;
  #token: string | undefined;
  #control = new ControlClient(`${location.origin}/api/control`);
  #cursor: string | null = null;
  #prefer: Transport = 'sse';

  /** No rooms: the gateway's default rooms. */
  constructor(rooms: readonly string[], listener: PageStreamListener) {
    this.#rooms = rooms;
    this.#listener = listener;
  }

  /** Shows this token from now on; `hasEvents`: with a stream, which stays where it has that token already. */
  open(token: string | undefined, hasEvents: boolean): void {
    if (this.#client !== undefined && hasEvents && token === this.#token) return;
    this.close();
    this.#token = token;
    const shown = token === undefined ? {} : { token };
    this.#control = new ControlClient(`${location.origin}/api/control`, shown);
    if (!hasEvents) return;
    const client = new FlipgateClient(location.origin, {
      ...shown,
      rooms: this.#rooms,
      prefer: this.#prefer,
      ...(this.#cursor === null ? {} : { cursor: this.#cursor }),
    });
    this.#client = client;
    const { changed, profile, welcomed, event, gap } = this.#listener;
    client.onState((change) => {
      // Of one that was replaced, nothing is said any more.
      if (this.#client === client) changed(change);
    });
    client.onProfile(profile);
    client.onWelcome((welcome) => {
      welcomed(welcome, client.transport);
    });
    client.on('*', event);
    client.onGap(gap);
  }

  /** Ends the stream; a later one goes on from there. */
  close(): void {
    const client = this.#client;
    this.#client = undefined;
    this.#cursor = client?.cursor ?? this.#cursor;
    client?.close();
  }

  /** Prefers a transport. */
  use(transport: Transport): void {
    this.#prefer = transport;
    this.#client?.use(transport);
  }

  /** Sends a command: with the stream's own ways, or, where there is none, over HTTP. */
  readonly command: SendCommand = (action, data) => {
    const options = { timeoutMs: COMMAND_MS };
    return this.#client === undefined
      ? this.#control.send(action, data, options)
      : this.#client.control(action, data, options);
  };
}
