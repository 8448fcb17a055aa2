import { io, type Socket } from 'socket.io-client';
import type { ClientKind } from '../client-kind.js';
import type { LoadClient, LoadClientParts } from './load-client.js';
import { APPEND_TYPE, roomName, VALUE_TYPE } from './load-shape.js';
import type { Received } from './received.js';

/** The stock Socket.IO client with its defaults: each event comes by itself. */
export class StockClient implements LoadClient {
  readonly kind: ClientKind;
  readonly received: Received;
  readonly #socket: Socket;

  constructor(kind: ClientKind, { server, received, refused }: LoadClientParts) {
    this.kind = kind;
    this.received = received;
    const { url, token } = server;
    // Pages name no rooms; here they would get what others publish in the default ones.
    const rooms = [roomName(received.room)];
    this.#socket = io(url, { forceNew: true, auth: token === undefined ? { rooms } : { rooms, token } });
    this.#socket.on('disconnect', refused);
    this.#socket.on('connect_error', (error) => {
      refused(codeOf(error) ?? error.message);
    });
    for (const type of [VALUE_TYPE, APPEND_TYPE]) {
      this.#socket.on(type, (data: unknown) => {
        received.take(data);
      });
    }
  }

  get isThere(): boolean {
    return this.#socket.connected;
  }

  close(): void {
    this.#socket.off('disconnect');
    this.#socket.disconnect();
  }
}

/** The code of a gateway that refused; undefined for what is none. */
function codeOf(error: Error): string | undefined {
  const { data } = error as Error & { data?: { error?: { code?: unknown } } };
  const code = data?.error?.code;
  return typeof code === 'string' ? code : undefined;
}
