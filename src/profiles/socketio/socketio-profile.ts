import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Socket as EngineSocket } from 'engine.io';
import { Server, type ServerOptions, type Socket } from 'socket.io';
import type { Clock } from '../../core/clock.js';
import type { Outlet } from '../../core/delivery/outlet.js';
import type { Session } from '../../core/delivery/session.js';
import { type ErrorBody, Refusal } from '../../core/errors.js';
import type { ServedTransport } from '../../core/flip/served-transport.js';
import type { Logger } from '../../core/logger.js';
import type { Counters } from '../../core/metrics/counters.js';
import type { Listener } from '../http/listener.js';
import type { Callers } from '../http/callers.js';
import { WEBSOCKET_PATH } from '../http/profile-document.js';
import { pathOf, queryOf, refuseUpgrade, sendRefusal } from '../http/reply.js';
import { BundleConnection } from './bundle-connection.js';
import { ClientScript } from './client-script.js';
import { EngineGuard } from './engine-guard.js';
import { EngineWriter } from './engine-writer.js';
import { askedBy, hasSession } from './handshake.js';
import { LegacyConnection } from './legacy-connection.js';
import { QuietEngine } from './quiet-engine.js';
import { type RequestParts, type Requester, Requests } from './requests.js';
import { RoomMirror } from './room-mirror.js';
import { SocketAdmission } from './socket-admission.js';

/** A request of which the engine has made a websocket. */
type EngineRequest = IncomingMessage & { readonly websocket?: EventEmitter };

/** How long closing waits for polling clients to come for the news, ms. */
const LAST_POLL_MS = 500;
/** How long a connection may take to say what it wants, ms. */
const CONNECT_TIMEOUT_MS = 10_000;

/** What the Socket.IO profile is told and works with. */
export interface SocketIoProfileParts extends RequestParts {
  readonly listener: Listener;
  readonly callers: Callers;
  readonly logger: Logger;
  readonly counters: Counters;
  readonly clock: Clock;
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
  readonly maxHttpBufferBytes: number;
  /** Connections in all, and from one address; 0 = no limit. */
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  /** Whether socket.io-client 2.x may connect. */
  readonly allowEio3: boolean;
  /** Serves room operations of the whole cluster; default: this process's alone. */
  readonly adapter?: ServerOptions['adapter'];
}

/** Serves `/socket.io`: sessions over websocket and polling, for legacy clients and for those that ask for bundles. */
export class SocketIoProfile implements ServedTransport {
  readonly #parts: SocketIoProfileParts;
  readonly #engine: QuietEngine;
  readonly #io: Server;
  readonly #guard: EngineGuard;
  readonly #requests: Requests;
  readonly #rooms: RoomMirror;
  readonly #script = new ClientScript();
  readonly #sessions = new Map<string, Session>();
  readonly #admission: SocketAdmission;
  /** The sockets under the websockets the engine has made. */
  readonly #sockets = new WeakMap<object, Duplex>();
  readonly #writers = new WeakMap<EngineSocket, EngineWriter>();
  readonly #detach: () => void;
  #admits = true;
  #onAllGone = (): void => undefined;

  constructor(parts: SocketIoProfileParts) {
    this.#parts = parts;
    this.#requests = new Requests(parts);
    this.#guard = new EngineGuard(parts);
    this.#admission = new SocketAdmission({ ...parts, guard: this.#guard, admits: () => this.#admits });
    this.#engine = new QuietEngine({
      pingInterval: parts.pingIntervalMs,
      pingTimeout: parts.pingTimeoutMs,
      maxHttpBufferSize: parts.maxHttpBufferBytes,
      allowEIO3: parts.allowEio3,
      transports: ['polling', 'websocket'],
      perMessageDeflate: false,
    });
    this.#io = new Server({
      serveClient: false,
      connectTimeout: CONNECT_TIMEOUT_MS,
      ...(parts.adapter === undefined ? {} : { adapter: parts.adapter }),
    });
    // Before Socket.IO listens: what a packet is refused for must not come to it.
    this.#engine.on('connection', (conn: EngineSocket) => {
      this.#guard.watch(conn, parts.callers.addressOf(conn.request));
    });
    this.#io.bind(this.#engine);
    this.#io.use((socket, next) => {
      void this.#admission.admit(socket, next);
    });
    this.#io.on('connection', (socket) => {
      this.#open(socket);
    });
    this.#rooms = new RoomMirror({
      namespace: this.#io.of('/'),
      delivery: parts.delivery,
      sessionOf: (socketId) => this.#sessions.get(socketId),
    });
    this.#detach = parts.listener.mount({
      path: WEBSOCKET_PATH,
      // Those it has go on to poll, to upgrade and to leave.
      takes: (req) => this.#admits || queryOf(req).has('sid'),
      request: (req, res) => {
        this.#request(req, res);
      },
      upgrade: (req, socket, head) => {
        this.#upgrade(req, socket, head);
      },
    });
  }

  admit(): void {
    this.#admits = true;
  }

  turnAway(): void {
    this.#admits = false;
  }

  /**
   * Lets go of the engine. The sessions are core's to end, before; that closed their connections, and a client that
   * polls is told with its next request, for which there is a moment.
   */
  async close(): Promise<void> {
    if (this.#engine.clientsCount > 0) {
      await new Promise<void>((resolve) => {
        this.#onAllGone = resolve;
        this.#parts.clock.after(LAST_POLL_MS, resolve);
      });
    }
    this.#detach();
    await this.#io.close();
  }

  #request(req: IncomingMessage, res: ServerResponse): void {
    if (this.#script.serve(pathOf(req), res)) return;
    const refusal = this.#refusalFor(req);
    if (refusal === undefined) this.#engine.handleRequest(req, res);
    else sendRefusal(res, refusal);
  }

  #upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    const refusal = this.#refusalFor(req);
    if (refusal !== undefined) return refuseUpgrade(socket, refusal);
    this.#engine.handleUpgrade(req, socket, head);
    // The engine has made the websocket by now, and tells nobody of its socket.
    const { websocket } = req as EngineRequest;
    if (websocket === undefined) return;
    this.#sockets.set(websocket, socket);
    this.#guard.watchWebsocket(websocket, socket);
  }

  /** Refused before it is connected, a stock client tries again by itself. */
  #refusalFor(req: IncomingMessage): Refusal | undefined {
    const sid = queryOf(req).get('sid');
    if (sid !== null) {
      // The engine would say 400, of which a proxy can't tell that another node may have it.
      return hasSession(this.#engine, sid)
        ? undefined
        : new Refusal('unknown_session', 'no such session is open');
    }
    const address = this.#parts.callers.addressOf(req);
    // Also those count that have not become sessions yet.
    return this.#guard.refusalFor(address) ?? this.#parts.delivery.refusalForAddress(address);
  }

  #open(socket: Socket): void {
    const { delivery, callers } = this.#parts;
    const principal = this.#admission.principalOf(socket);
    const { rooms, cursor, from, bundle, client } = askedBy(socket);
    const writer = this.#writerOf(socket.conn);
    writer.onDrain = () => {
      const session = this.#sessions.get(socket.id);
      if (session !== undefined) delivery.wake(session);
    };
    writer.onOverflow = () => {
      // Not from within what is being written.
      this.#parts.clock.soon(() => {
        const session = this.#sessions.get(socket.id);
        if (session === undefined) writer.close(true);
        else delivery.end(session, 'slow_consumer');
      });
    };
    const mirror = (): void => {
      this.#rooms.show(socket);
    };
    const outlet: Outlet = bundle
      ? new BundleConnection(writer, mirror, client)
      : new LegacyConnection(writer, mirror, () => {
          for (const { type, data } of this.#parts.mapping.onConnect) socket.emit(type, data);
        });
    const address = callers.addressOf(socket.request);
    const session = delivery.open({
      principal,
      address,
      transport: 'websocket',
      outlet,
      rooms,
      cursor,
      from,
    });
    if (session instanceof Refusal) return writer.close(false);
    this.#sessions.set(socket.id, session);
    mirror();
    // Before its rooms are taken from it one by one.
    socket.on('disconnecting', () => {
      this.#sessions.delete(socket.id);
      this.#guard.release(socket.conn);
      delivery.close(session);
    });
    const requester: Requester = {
      session,
      principal,
      address,
      withKey: (apiKey) => callers.withKey(principal, apiKey, address),
      emit: (type, data) => void socket.emit(type, data),
    };
    socket.onAny((name: unknown, ...args: unknown[]) => {
      void this.#answer(requester, String(name), args);
    });
  }

  /** One writer a connection, however often its client joins and leaves the namespace. */
  #writerOf(conn: EngineSocket): EngineWriter {
    const known = this.#writers.get(conn);
    if (known !== undefined) return known;
    const writer = new EngineWriter(conn, (websocket) => this.#sockets.get(websocket));
    this.#writers.set(conn, writer);
    conn.once('close', () => {
      if (this.#engine.clientsCount === 0) this.#onAllGone();
    });
    return writer;
  }

  async #answer(requester: Requester, name: string, args: unknown[]): Promise<void> {
    const last = args[args.length - 1];
    const ack = typeof last === 'function' ? (last as (answer: unknown) => void) : undefined;
    try {
      const answer = await this.#requests.answer(
        requester,
        name,
        ack === last ? args.slice(0, -1)[0] : args[0],
      );
      if ('error' in answer) this.#refused(requester, name, answer);
      ack?.(answer);
    } catch (error) {
      this.#parts.logger.error('a request failed', { name, error });
      ack?.(new Refusal('internal', 'the request could not be carried out').toBody());
    }
  }

  #refused({ principal, address }: Requester, name: string, answer: object): void {
    const { error } = answer as ErrorBody;
    this.#parts.counters.add('requests_refused', error.code);
    this.#parts.callers.refusals.ofEvent(name, error, principal, address);
  }
}
