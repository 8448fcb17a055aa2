import type { OpenConnection } from './connection.js';
import { NOTICES, readEvents, readGap, readWelcome } from './wire.js';

/** The part of Socket.IO's client this page uses. Source: socket.io.js, served by the gateway itself. */
interface Socket {
  on(name: string, take: (...values: unknown[]) => void): void;
  disconnect(): void;
}

type SocketFactory = (options: {
  readonly path: string;
  readonly auth: (give: (auth: object) => void) => void;
  readonly forceNew: boolean;
  readonly reconnection: boolean;
  readonly transports: readonly string[];
  readonly tryAllTransports: boolean;
}) => Socket;

let loading: Promise<SocketFactory> | undefined;

/**
 * Opens a Socket.IO connection as a bundling client. The client's code is loaded from the gateway on first use. Its
 * own reconnecting is off: a gateway that was flipped refuses this transport, so every loss goes back to discovery.
 */
export const openSocketIoConnection: OpenConnection = (target, listener) => {
  let socket: Socket | undefined;
  let closed = false;
  const close = (): void => {
    closed = true;
    socket?.disconnect();
  };
  const lose = (): void => {
    if (closed) return;
    close();
    listener.lost();
  };

  const connect = (open: SocketFactory): void => {
    if (closed) return;
    const made = open({
      path: target.path,
      auth: (give) => {
        // An empty list would mean no room at all; naming none means the default rooms.
        const rooms = target.rooms.length > 0 ? target.rooms : undefined;
        give({ bundle: true, rooms, lastEventId: target.cursor() });
      },
      forceNew: true,
      reconnection: false,
      transports: ['websocket', 'polling'],
      tryAllTransports: true,
    });
    socket = made;
    const on = (name: string, take: (value: unknown, second: unknown) => void): void => {
      made.on(name, (value, second) => {
        if (!closed) take(value, second);
      });
    };
    on('connect_error', lose);
    on('disconnect', lose);
    on('welcome', (value) => {
      listener.welcomed(readWelcome(value));
    });
    on('events', (bundle, cursor) => {
      listener.received(readEvents(bundle), typeof cursor === 'string' && cursor !== '' ? cursor : undefined);
    });
    on('gap', (value) => {
      listener.gapped(readGap(value));
    });
    for (const notice of NOTICES) {
      on(notice, () => {
        listener.noticed(notice);
      });
    }
  };

  loadClient(target.path).then(connect, lose);
  return { close };
};

/** Socket.IO's client, loaded once; a failed load is tried anew the next time. */
function loadClient(path: string): Promise<SocketFactory> {
  loading ??= injectScript(`${path.replace(/\/+$/, '')}/socket.io.js`).catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

function injectScript(src: string): Promise<SocketFactory> {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = src;
    script.addEventListener('load', () => {
      const { io } = globalThis as { io?: SocketFactory };
      if (io === undefined) reject(new Error(`${src} defines no io`));
      else resolve(io);
    });
    script.addEventListener('error', () => {
      script.remove();
      reject(new Error(`${src} could not be loaded`));
    });
    document.head.append(script);
  });
}
