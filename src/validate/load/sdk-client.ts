import { FlipgateClient } from '../../client/index.js';
import type { ClientKind } from '../client-kind.js';
import type { LoadClient, LoadClientParts } from './load-client.js';
import { roomName } from './load-shape.js';
import type { Received } from './received.js';

/** A client of the SDK, over the transport of its kind. */
export class SdkClient implements LoadClient {
  readonly kind: ClientKind;
  readonly received: Received;
  readonly #client: FlipgateClient;
  readonly #stopListening: () => void;

  constructor(kind: 'bundle' | 'sse', { server, received, refused }: LoadClientParts) {
    this.kind = kind;
    this.received = received;
    const { url, token } = server;
    this.#client = new FlipgateClient(url, {
      rooms: [roomName(received.room)],
      prefer: kind === 'sse' ? 'sse' : 'websocket',
      ...(token === undefined ? {} : { token }),
    });
    this.#client.on('*', ({ data }) => {
      received.take(data);
    });
    this.#stopListening = this.#client.onState(({ state, code, reason }) => {
      if (state === 'reconnecting' || state === 'closed') refused(code ?? reason);
    });
  }

  get isThere(): boolean {
    return this.#client.state === 'live';
  }

  close(): void {
    this.#stopListening();
    this.#client.close();
  }
}
