import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket as TcpSocket } from 'node:net';
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
import { isSocketIoPath, WEBSOCKET_PATH } from '../http/profile-document.js';
import { pathOf, queryOf, refuseUpgrade, sendRefusal, sendText } from '../http/reply.js';
import { DATA_HEADERS } from '../http/security-headers.js';
import { BundleConnection } from './bundle-connection.js';
import { ClientScript } from './client-script.js';
import { EngineGuard } from './engine-guard.js';
import { EngineWriter } from './engine-writer.js';
import { askedBy, connectionOf } from './handshake.js';
import { LegacyConnection } from './legacy-connection.js';
import { QuietEngine } from './quiet-engine.js';
import { type RequestParts, type Requester, Requests } from './requests.js';
import { RoomMirror } from './room-mirror.js';
import { packetParser } from './packet-parser.js';
import { SignInGuard } from './sign-in-guard.js';
import { SocketAdmission } from './socket-admission.js';

/** A request of which the engine has made a websocket. */
type EngineRequest = IncomingMessage & { readonly websocket?: EventEmitter };

/** How long closing waits for polling clients to come for the news, ms. */
const LAST_POLL_MS = 500;

const UNKNOWN = new Refusal('unknown_session', 'no such session is open');

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
  /** Connections from one address whose clients are not admitted; 0 = no limit. */
  readonly maxPendingPerAddress: number;
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
  readonly #signIns: SignInGuard;
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
    this.#signIns = new SignInGuard({
      ...parts,
      signedIn: (socket) => {
        parts.callers.signedIn(socket as TcpSocket);
      },
    });
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
      parser: packetParser(parts.maxHttpBufferBytes),
      ...(parts.adapter === undefined ? {} : { adapter: parts.adapter }),
    });
    // Before Socket.IO listens: what a packet is refused for must not come to it.
    this.#engine.on('connection', (conn: EngineSocket) => {
      this.#guard.watch(conn);
      this.#signIns.watch(conn, parts.callers.addressOf(conn.request));
      this.#admission.begin(conn);
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
      takes: (req) => isSocketIoPath(pathOf(req)) && (this.#admits || queryOf(req).has('sid')),
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
    this.#check(req, (refusal) => {
      if (refusal !== undefined) return sendRefusal(res, refusal);
      for (const [name, value] of Object.entries(DATA_HEADERS)) res.setHeader(name, value);
      const conn = this.#connectionOf(req);
      if (conn !== undefined && this.#signIns.isTooLarge(conn, req)) sendText(res, 'ok');
      else this.#engine.handleRequest(req, res);
    });
  }

  #upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#check(req, (refusal) => {
      if (refusal !== undefined) {
        this.#parts.callers.refusals.ofRequest(req, refusal);
        return refuseUpgrade(socket, refusal);
      }
      this.#engine.handleUpgrade(req, socket, head);
      // The engine has made the websocket by now, and tells nobody of its socket.
      const { websocket } = req as EngineRequest;
      if (websocket === undefined) return;
      this.#sockets.set(websocket, socket);
      this.#guard.watchWebsocket(websocket, socket);
      this.#signIns.watchWebsocket(websocket, socket, head, this.#connectionOf(req));
    });
  }

  /** Refused before it is connected, a stock client tries again by itself. */
  #check(req: IncomingMessage, then: (refusal: Refusal | undefined) => void): void {
    if (!queryOf(req).has('sid')) {
      // Also clients that have not become sessions yet are refused where there is no place for them.
      return then(this.#parts.delivery.refusalForAddress(this.#parts.callers.addressOf(req)));
    }
    const conn = this.#connectionOf(req);
    // The engine would say 400, of which a proxy can't tell that another node may have it.
    if (conn === undefined) return then(UNKNOWN);
    const refusal = this.#admission.refusalForRequest(conn, req);
    const goOn = (found: Refusal | undefined): void => {
      // The engine would wait for the end of a request that has ended while its token was checked.
      if (req.socket.destroyed) return;
      if (found === undefined && this.#signIns.isAdmitted(conn)) this.#parts.callers.signedIn(req.socket);
      // After a promise the connection may be gone.
      then(found ?? (this.#connectionOf(req) === undefined ? UNKNOWN : undefined));
    };
    if (refusal instanceof Promise) void refusal.then(goOn);
    else goOn(refusal);
  }

  #connectionOf(req: IncomingMessage): EngineSocket | undefined {
    const sid = queryOf(req).get('sid');
    return sid === null ? undefined : connectionOf(this.#engine, sid);
  }

  #open(socket: Socket): void {
    const { delivery, callers } = this.#parts;
    const principal = this.#admission.principalOf(socket);
    const { rooms, cursor, isPartial, from, bundle, client } = askedBy(socket);
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
      isPartial,
      from,
    });
    if (session instanceof Refusal) return writer.close(false);
    this.#sessions.set(socket.id, session);
    this.#signIns.admit(socket.conn);
    mirror();
    // Before its rooms are taken from it one by one.
    socket.on('disconnecting', () => {
      this.#sessions.delete(socket.id);
      this.#guard.release(socket.conn);
      this.#signIns.release(socket.conn);
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
    const sent = ack === last ? args.slice(0, -1)[0] : args[0];
    try {
      const answer =
        sent instanceof Refusal ? sent.toBody() : await this.#requests.answer(requester, name, sent);
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
