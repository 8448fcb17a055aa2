import { io, type Socket } from 'socket.io-client';
import type { ClientKind } from '../client-kind.js';
import type { LoadClient, LoadClientParts } from './load-client.js';
import { APPEND_TYPE, roomName, VALUE_TYPE } from './load-shape.js';
import type { Received } from './received.js';

/** What an ack to `join` or `leave` says. */
interface RoomsAck {
  readonly rooms?: readonly string[];
  readonly error?: { readonly code: string };
}

/** The stock Socket.IO client with its defaults: each event comes by itself. */
export class StockClient implements LoadClient {
  readonly kind: ClientKind;
  readonly received: Received;
  readonly #socket: Socket;
  readonly #refused: (reason: string) => void;
  #isThere = false;

  constructor(kind: ClientKind, { server, received, refused }: LoadClientParts) {
    this.kind = kind;
    this.received = received;
    this.#refused = refused;
    const { url, token } = server;
    this.#socket = io(url, { forceNew: true, auth: token === undefined ? {} : { token } });
    this.#socket.on('connect', () => {
      this.#join(roomName(received.room));
    });
    this.#socket.on('disconnect', (reason) => {
      this.#isThere = false;
      refused(reason);
    });
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
    return this.#isThere;
  }

  close(): void {
    this.#socket.off('disconnect');
    this.#socket.disconnect();
  }

  /** Joins its room, and leaves those it was put into: what others get there is no part of the load. */
  #join(room: string): void {
    this.#socket.emit('join', room, ({ rooms = [], error }: RoomsAck) => {
      if (error !== undefined) {
        this.#refused(error.code);
        return;
      }
      const others = rooms.filter((one) => one !== room);
      if (others.length === 0) this.#isThere = true;
      else {
        this.#socket.emit('leave', others, () => {
          this.#isThere = true;
        });
      }
    });
  }
}

/** The code of a gateway that refused; undefined for what is none. */
function codeOf(error: Error): string | undefined {
  const { data } = error as Error & { data?: { error?: { code?: unknown } } };
  const code = data?.error?.code;
  return typeof code === 'string' ? code : undefined;
}
