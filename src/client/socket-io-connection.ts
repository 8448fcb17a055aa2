import type { OpenConnection } from './connection.js';
import { GatewayError, readError, unreachable } from './gateway-error.js';

/** The part of Socket.IO's client that is used here. */
interface Socket {
  readonly io: {
    on(name: 'ping', take: () => void): void;
    readonly engine: { on(name: 'handshake', take: (handshake: Handshake) => void): void };
  };
  on(name: 'connect_error', take: (error: ConnectError) => void): void;
  on(name: 'connect' | 'disconnect', take: () => void): void;
  onAny(take: (name: string, value: unknown, cursor?: string | null) => void): void;
  timeout(ms: number): { emitWithAck(name: string, value: unknown): Promise<unknown> };
  disconnect(): void;
}

/** The gateway's first message. */
interface Handshake {
  /** Most bytes of one message. */
  readonly maxPayload: number;
}

type Io = (origin: string, options: object) => Socket;

/** A refusal of the gateway's, of Socket.IO's level or of HTTP's. */
interface ConnectError {
  readonly data?: unknown;
  readonly context?: { readonly status?: number; readonly responseText?: string };
}

/** Most bytes of a token and of the rooms that are named with it: the gateway reads 16 KiB of a client it has not admitted. */
const MAX_FIRST_BYTES = 14_000;
/** How long joining the other rooms may take, ms. */
const REST_MS = 10_000;
/** Bytes of a message beside its JSON text: types, and the id of its answer. */
const ENVELOPE_BYTES = 20;

/**
 * Opens a Socket.IO connection that asks for bundles. Socket.IO's client is loaded on first use: from the gateway in
 * browsers, from its package in Node. Its own reconnecting is off, since a gateway that flipped refuses this transport.
 */
export const openSocketIo: OpenConnection = (target, { heard, told, lost }) => {
  const { url, rooms, cursor, token, signal } = target;
  const { origin, pathname, searchParams } = new URL(url);
  let socket: Socket | undefined;
  let maxPayload = Infinity;
  const connect = (io: Io): void => {
    if (signal.aborted) return;
    const [first, rest] = fitting(rooms ?? [], MAX_FIRST_BYTES - (token?.length ?? 0));
    const made = io(origin, {
      path: pathname,
      query: Object.fromEntries(searchParams),
      auth: {
        bundle: true,
        rooms: rooms && first,
        moreRooms: rest.length > 0,
        lastEventId: cursor,
        token,
      },
      forceNew: true,
      reconnection: false,
      transports: ['websocket', 'polling'],
      tryAllTransports: true,
    });
    socket = made;
    signal.addEventListener('abort', () => {
      made.disconnect();
    });
    made.io.on('ping', heard);
    made.io.engine.on('handshake', (handshake) => {
      ({ maxPayload } = handshake);
    });
    made.onAny((name, value, moved) => {
      heard();
      told(name, value, moved || null);
    });
    made.on('connect', () => {
      if (rest.length === 0) return;
      made
        .timeout(REST_MS)
        .emitWithAck('join', rest)
        .then((answer) => {
          const refusal = readError(answer);
          if (refusal !== undefined) throw refusal;
          return undefined;
        })
        .catch(lost);
    });
    made.on('connect_error', (error) => {
      lost(refusalIn(error) ?? unreachable('the gateway does not answer'));
    });
    made.on('disconnect', () => {
      lost(unreachable());
    });
  };
  load(origin + pathname)
    .then(connect)
    .catch(lost);
  return async (name, value, timeoutMs) => {
    // The gateway would have to end the connection.
    if (bytesOf([name, value]) + ENVELOPE_BYTES > maxPayload) {
      throw new GatewayError('payload_too_large', `more than ${String(maxPayload)} bytes`);
    }
    try {
      return await socket?.timeout(timeoutMs).emitWithAck(name, value);
    } catch {
      throw unreachable();
    }
  };
};

/** As many of the rooms as have so many bytes together, at least one, and the others. */
function fitting(rooms: readonly string[], most: number): [readonly string[], readonly string[]] {
  let bytes = 0;
  const end = rooms.findIndex((room, index) => (bytes += bytesOf(room) + 1) > most && index > 0);
  return end < 0 ? [rooms, []] : [rooms.slice(0, end), rooms.slice(end)];
}

/** Bytes of a value as JSON text. */
function bytesOf(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value)).length;
}

function refusalIn({ data, context }: ConnectError): GatewayError | undefined {
  try {
    return readError(data) ?? readError(JSON.parse(context?.responseText ?? ''), context?.status);
  } catch {
    return undefined;
  }
}

async function load(url: string): Promise<Io> {
  const isNode = (globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node;
  const module: unknown = isNode
    ? await import('socket.io-client')
    : await import(/* webpackIgnore: true */ /* @vite-ignore */ `${url}/socket.io.esm.min.js`);
  return (module as { readonly io: Io }).io;
}
