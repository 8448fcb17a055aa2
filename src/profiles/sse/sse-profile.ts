import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../../core/clock.js';
import { clientKind } from '../../core/delivery/client-kind.js';
import type { Delivery } from '../../core/delivery/delivery.js';
import type { Session } from '../../core/delivery/session.js';
import { inStretches } from '../../core/delivery/stretch.js';
import { type ErrorCode, Refusal } from '../../core/errors.js';
import type { ServedTransport } from '../../core/flip/served-transport.js';
import type { Listener } from '../http/listener.js';
import type { Identified } from '../../core/auth/authenticator.js';
import type { Caller } from '../../core/auth/caller.js';
import type { Callers } from '../http/callers.js';
import { setCaller } from '../http/refusal-audit.js';
import { SSE_PATH } from '../http/profile-document.js';
import { roomsIn } from '../http/query.js';
import { queryOf, sendRefusal } from '../http/reply.js';
import { SseConnection } from './sse-connection.js';

/** Pause before a reconnect that each client is told at least, ms. */
const MIN_RETRY_MS = 1000;

/** Longest time between two looks for streams that are quiet, ms. */
const MAX_LOOK_MS = 1000;
/** Streams looked at between two looks at the clock. */
const STREAMS_PER_LOOK = 50;

/** Refusals that pass by themselves. */
const TOLD_IN_STREAM: ReadonlySet<ErrorCode> = new Set(['shutting_down', 'auth_unavailable']);

/** What the SSE profile is told and works with. */
export interface SseProfileParts {
  readonly listener: Listener;
  readonly delivery: Delivery;
  readonly callers: Callers;
  readonly clock: Clock;
  /** Random number in [0, 1). */
  readonly random: () => number;
  readonly pingIntervalMs: number;
  /** ms over which reconnects spread. */
  readonly reconnectJitterMs: number;
}

/** Serves `GET /api/events/stream?rooms=a,b`: sessions over Server-Sent Events. */
export class SseProfile implements ServedTransport {
  readonly #parts: SseProfileParts;
  readonly #connections = new Map<Socket, SseConnection>();
  /** What sockets call, each with itself as `this`: one function for all of them. */
  readonly #onDrain: (this: Socket) => void;
  readonly #onClose: (this: Socket) => void;
  readonly #endPing: () => void;
  #detach: () => void = () => undefined;
  #admits = false;

  constructor(parts: SseProfileParts) {
    this.#parts = parts;
    const sessionOf = (socket: Socket): Session | undefined => this.#connections.get(socket)?.session;
    const forget = (socket: Socket): void => void this.#connections.delete(socket);
    this.#onDrain = function () {
      const session = sessionOf(this);
      if (session !== undefined) parts.delivery.wake(session);
    };
    this.#onClose = function () {
      const session = sessionOf(this);
      forget(this);
      if (session !== undefined) parts.delivery.close(session);
    };
    const lookMs = Math.min(MAX_LOOK_MS, parts.pingIntervalMs / 2);
    this.#endPing = parts.clock.every(lookMs, () => {
      void this.#ping(Math.floor(parts.pingIntervalMs / lookMs));
    });
    this.admit();
  }

  admit(): void {
    this.turnAway();
    this.#admits = true;
    this.#detach = this.#parts.listener.mount({
      path: SSE_PATH,
      exact: true,
      request: (req, res) => {
        this.#request(req, res);
      },
    });
  }

  turnAway(): void {
    this.#admits = false;
    this.#detach();
  }

  /** The sessions are core's to end, before. Where the node stops, who still comes is told so by core, to the last. */
  close(): Promise<void> {
    this.#endPing();
    return Promise.resolve();
  }

  #request(req: IncomingMessage, res: ServerResponse): void {
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      res.setHeader('Allow', 'GET, HEAD');
      return sendRefusal(res, new Refusal('method_not_allowed', 'a stream is read with GET'));
    }
    // Only a client that sends requests without awaiting answers comes here before its turn.
    if (res.socket === null) {
      return sendRefusal(res, new Refusal('bad_request', 'a stream needs a connection of its own'));
    }
    const caller = this.#parts.callers.of(req);
    if (req.method === 'HEAD') return void this.#answerHead(caller, req, res);
    if (caller instanceof Promise) void this.#openLater(caller, req, res, res.socket);
    else this.#open(caller, req, res, res.socket);
  }

  /** Only now can the connection be taken over; whatever is answered is the last on it. */
  async #openLater(
    caller: Promise<Caller | Refusal>,
    req: IncomingMessage,
    res: ServerResponse,
    socket: Socket,
  ): Promise<void> {
    const { listener } = this.#parts;
    res.setHeader('Connection', 'close');
    listener.takeOver(req, res);
    const found = await caller;
    if (socket.destroyed) return;
    // A flip may have come meanwhile.
    if (this.#admits) this.#open(found, req, res, socket);
    else listener.answerAnew(req, res);
    listener.letGo(res);
  }

  #open(principal: Caller | Refusal, req: IncomingMessage, res: ServerResponse, socket: Socket): void {
    const { delivery, listener, callers, random, reconnectJitterMs } = this.#parts;
    const query = queryOf(req);
    const client = clientKind(query.get('client'), 'eventsource');
    const { retryAfterMs = 0 } = principal instanceof Refusal ? principal : {};
    const retryMs = Math.max(MIN_RETRY_MS, retryAfterMs) + random() * reconnectJitterMs;
    const connection = new SseConnection(res, socket, retryMs, client);
    const lastEventId = req.headers['last-event-id'] ?? query.get('lastEventId');
    socket.setNoDelay(true);
    const session =
      principal instanceof Refusal
        ? principal
        : delivery.open({
            principal,
            address: callers.addressOf(req),
            transport: 'sse',
            outlet: connection,
            rooms: roomsIn(query),
            from: query.get('from'),
            cursor: lastEventId === null || lastEventId === '' ? null : String(lastEventId),
          });
    if (session instanceof Refusal) {
      setCaller(res, principal);
      // A 503, or a 429, would have an EventSource give up for good, while another node, or this one soon, could serve it.
      if (!isToldInStream(session.code, req)) return sendRefusal(res, session);
      callers.refusals.ofRequest(req, session, principal);
      connection.accept();
      listener.takeOver(req, res);
      return connection.end(session.code);
    }
    connection.session = session;
    callers.hasSession(socket);
    this.#connections.set(socket, connection);
    listener.takeOver(req, res);
    socket.on('drain', this.#onDrain);
    socket.on('close', this.#onClose);
  }

  /** What a stream would be answered, without one. */
  async #answerHead(caller: Identified, req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { delivery, callers } = this.#parts;
    const principal = await caller;
    const refusal =
      principal instanceof Refusal
        ? principal
        : delivery.refusalFor({ principal, address: callers.addressOf(req), rooms: roomsIn(queryOf(req)) });
    if (refusal === undefined) res.writeHead(200, { 'Content-Type': 'text/event-stream' }).end();
    else {
      setCaller(res, principal);
      sendRefusal(res, refusal);
    }
  }

  /** Looks at all streams, and pings those at which nothing was written for so many looks. */
  async #ping(quietLooks: number): Promise<void> {
    const { clock, delivery } = this.#parts;
    // Quiet streams are silent for equally long, so all may be due at once.
    await inStretches(clock, STREAMS_PER_LOOK, this.#connections.values(), (connection) => {
      const { session } = connection;
      if (connection.look() < quietLooks || session === undefined || !connection.writable) return;
      connection.ping(delivery.cursorOf(session));
    });
  }
}

/** Whether a refusal is told in the stream; `too_many_attempts` to an `EventSource` alone, by what it accepts: others read a 429. */
function isToldInStream(code: ErrorCode, { headers }: IncomingMessage): boolean {
  if (code !== 'too_many_attempts') return TOLD_IN_STREAM.has(code);
  return headers.accept?.includes('text/event-stream') === true;
}
