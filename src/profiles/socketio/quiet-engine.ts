import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Server, type Transport } from 'engine.io';
import { endConnection } from '../http/end-connection.js';

/**
 * An Engine.IO server that closes connections without saying goodbye: it sends neither an Engine.IO `close` packet nor a
 * websocket close frame. Stock clients come back by themselves from a connection that breaks, but not all of them
 * from one that is closed in good order: python-socketio and rust_socketio take a `close` packet over polling as final,
 * and Java's client does not react to a close frame for 11 s.
 *
 * Everything sent before is delivered first. Over a websocket, the TCP connection then ends. Over polling, a waiting poll
 * is answered with a `noop`, and the next one with 404, since its session is unknown.
 */
export class QuietEngine extends Server {
  protected override createTransport(name: TransportName, req: IncomingMessage): Transport {
    const transport = super.createTransport(name, req);
    // One function for all transports of a kind: there are thousands of connections.
    transport.doClose = transport.name === 'websocket' ? endWebsocket : endPolling;
    return transport;
  }
}

type TransportName = Parameters<Server['createTransport']>[0];

/** A transport of websockets, as far as the engine does not declare it. */
interface WebsocketTransport {
  readonly socket: {
    readonly _socket?: Socket | null;
    /** Whether it answers pings by itself. */
    _autoPong: boolean;
  };
}

/** A transport of polling, as far as the engine does not declare it. */
interface PollingTransport {
  /** The request that brings packets, while there is one. */
  readonly dataReq?: IncomingMessage | null;
  /** Answers a waiting poll with a `noop`, then tells the engine. */
  onClose(): void;
}

function endWebsocket(this: Transport, onClosed?: () => void): void {
  const { socket: websocket } = this as unknown as WebsocketTransport;
  // A pong written after the end would be an error, which destroys the socket and what it has yet to send.
  websocket._autoPong = false;
  if (websocket._socket) endConnection(websocket._socket);
  onClosed?.();
}

function endPolling(this: Transport, onClosed?: () => void): void {
  const transport = this as unknown as PollingTransport;
  transport.dataReq?.destroy();
  onClosed?.();
  transport.onClose();
}
