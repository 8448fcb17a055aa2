import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../core/clock.js';
import type { Delivery } from '../../core/delivery/delivery.js';
import type { Session } from '../../core/delivery/session.js';
import { Refusal } from '../../core/errors.js';
import type { Listener } from '../http/listener.js';
import { addressOf, principalOf } from '../http/principal.js';
import { SSE_PATH } from '../http/profile-document.js';
import { queryOf, sendRefusal } from '../http/reply.js';
import { SseConnection } from './sse-connection.js';

/** Pause before a reconnect that each client is told at least, ms. */
const MIN_RETRY_MS = 1000;

/** What the SSE profile is told and works with. */
export interface SseProfileParts {
  readonly listener: Listener;
  readonly delivery: Delivery;
  readonly clock: Clock;
  /** Random number in [0, 1). */
  readonly random: () => number;
  readonly pingIntervalMs: number;
  /** ms over which reconnects spread. */
  readonly reconnectJitterMs: number;
}

/** Serves `GET /api/events/stream?rooms=a,b`: sessions over Server-Sent Events. */
export class SseProfile {
  readonly #parts: SseProfileParts;
  readonly #connections = new Map<Session, SseConnection>();
  readonly #detach: () => void;
  readonly #endPing: () => void;

  constructor(parts: SseProfileParts) {
    this.#parts = parts;
    this.#detach = parts.listener.mount({
      path: SSE_PATH,
      request: (req, res) => {
        this.#request(req, res);
      },
    });
    this.#endPing = parts.clock.every(Math.min(1000, parts.pingIntervalMs / 2), () => {
      this.#ping();
    });
  }

  /** Takes no more streams; the sessions are core's to end. */
  close(): Promise<void> {
    this.#detach();
    this.#endPing();
    return Promise.resolve();
  }

  #request(req: IncomingMessage, res: ServerResponse): void {
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      res.setHeader('Allow', 'GET, HEAD');
      return sendRefusal(res, new Refusal('method_not_allowed', 'a stream is read with GET'));
    }
    if (req.method === 'HEAD') return void res.writeHead(200, { 'Content-Type': 'text/event-stream' }).end();
    // Only a client that sends requests without awaiting answers comes here before its turn.
    if (res.socket === null) {
      return sendRefusal(res, new Refusal('bad_request', 'a stream needs a connection of its own'));
    }
    const { clock, random, reconnectJitterMs } = this.#parts;
    const retryMs = MIN_RETRY_MS + random() * reconnectJitterMs;
    this.#open(req, res, new SseConnection(res, res.socket, retryMs, () => clock.elapsed()));
  }

  #open(req: IncomingMessage, res: ServerResponse, connection: SseConnection): void {
    const { delivery } = this.#parts;
    const query = queryOf(req);
    const lastEventId = req.headers['last-event-id'] ?? query.get('lastEventId');
    req.socket.setNoDelay(true);
    const session = delivery.open({
      principal: principalOf(req),
      address: addressOf(req),
      transport: 'sse',
      outlet: connection,
      // An empty parameter names no room either.
      rooms: (query.get('rooms') || undefined)?.split(',').map((room) => room.trim()),
      cursor: lastEventId === null || lastEventId === '' ? null : String(lastEventId),
    });
    if (session instanceof Refusal) return sendRefusal(res, session);
    this.#connections.set(session, connection);
    req.socket.on('drain', () => {
      delivery.wake(session);
    });
    req.socket.on('close', () => {
      this.#connections.delete(session);
      delivery.close(session);
    });
  }

  #ping(): void {
    const silentSince = this.#parts.clock.elapsed() - this.#parts.pingIntervalMs;
    for (const [session, connection] of this.#connections) {
      if (connection.wroteAt <= silentSince && connection.writable) {
        connection.ping(this.#parts.delivery.cursorOf(session));
      }
    }
  }
}
