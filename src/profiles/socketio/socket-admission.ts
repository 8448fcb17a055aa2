import type { IncomingMessage } from 'node:http';
import type { Socket as EngineSocket } from 'engine.io';
import type { Socket } from 'socket.io';
import type { Credentials } from '../../core/auth/authenticator.js';
import { type Caller, isSameClient } from '../../core/auth/caller.js';
import type { Delivery } from '../../core/delivery/delivery.js';
import { Refusal } from '../../core/errors.js';
import type { Callers } from '../http/callers.js';
import { credentialsIn } from '../http/credentials.js';
import type { EngineGuard } from './engine-guard.js';
import { askedBy, isToTryAgain } from './handshake.js';

/** What a {@link SocketAdmission} works with. */
export interface SocketAdmissionParts {
  readonly delivery: Delivery;
  readonly callers: Callers;
  readonly guard: EngineGuard;
  /** Whether new clients are taken. */
  readonly admits: () => boolean;
}

/** Who comes into the namespace, and whose its sockets are. */
export class SocketAdmission {
  readonly #parts: SocketAdmissionParts;
  readonly #principals = new WeakMap<Socket, Caller>();
  /** Who a connection's first request was made by, where that let its client in. */
  readonly #openers = new WeakMap<EngineSocket, Caller>();
  /** What a connection's first request showed, for its later ones, and for clients that leave the namespace and come again. */
  readonly #shown = new WeakMap<EngineSocket, Credentials>();

  constructor(parts: SocketAdmissionParts) {
    this.#parts = parts;
  }

  /** A connection begins: its further requests must come from the client that made the first one. */
  begin(conn: EngineSocket): void {
    this.#shown.set(conn, this.#parts.callers.shownBy(conn.request));
  }

  /**
   * Why a further request of a connection is refused: the id of a connection is in URLs, and these in logs, so it opens nothing by
   * itself where the handshake showed credentials. Others than those will do when they are the same client's, as a token
   * that was renewed. Undefined, at once or by a promise: the request is good.
   */
  refusalForRequest(
    conn: EngineSocket,
    req: IncomingMessage,
  ): Refusal | undefined | Promise<Refusal | undefined> {
    const { callers } = this.#parts;
    const first = this.#shown.get(conn) ?? {};
    if (first.token === undefined && first.apiKey === undefined) return undefined;
    const now = callers.shownBy(req);
    if (now.token === first.token && now.apiKey === first.apiKey) return undefined;
    return this.#refusalForOther(conn, first, now, req);
  }

  async #refusalForOther(
    conn: EngineSocket,
    first: Credentials,
    now: Credentials,
    req: IncomingMessage,
  ): Promise<Refusal | undefined> {
    const { callers } = this.#parts;
    const client = await callers.known(now, req);
    if (client instanceof Refusal) return client;
    const opener = this.#openers.get(conn) ?? (await callers.known(first, conn.request));
    const isSame = opener instanceof Refusal ? false : isSameClient(opener, client);
    return isSame ? undefined : new Refusal('forbidden', "this is another client's connection");
  }

  /** Lets a socket in by calling `next`, or refuses it; a client that may be let in later has its connection closed. */
  async admit(socket: Socket, next: (error?: Error) => void): Promise<void> {
    const { callers, guard } = this.#parts;
    const { request, conn } = socket;
    if (!guard.claim(conn)) return refuse(new Refusal('bad_request', 'a connection is one session'), next);
    const shown = this.#takeCredentials(socket);
    const principal = await callers.known(shown, request);
    if (!(principal instanceof Refusal) && shown === this.#shown.get(conn))
      this.#openers.set(conn, principal);
    const refusal = this.#refusalFor(socket, principal);
    if (refusal === undefined) return next();
    callers.refusals.ofRequest(request, refusal, principal);
    guard.release(conn);
    if (isToTryAgain(refusal, askedBy(socket))) conn.close();
    else refuse(refusal, next);
  }

  /** Whose a socket is that was let in. */
  principalOf(socket: Socket): Caller {
    const principal = this.#principals.get(socket);
    if (principal === undefined) throw new Error('a socket came past the door');
    return principal;
  }

  #refusalFor(socket: Socket, principal: Caller | Refusal): Refusal | undefined {
    const { delivery, callers, admits } = this.#parts;
    if (!admits()) return new Refusal('transport_disabled', 'Socket.IO is not served here any more');
    if (principal instanceof Refusal) return principal;
    this.#principals.set(socket, principal);
    const address = callers.addressOf(socket.request);
    return delivery.refusalFor({ principal, address, rooms: askedBy(socket).rooms });
  }

  /** Socket.IO keeps a handshake as long as its socket, and shows it to other nodes and backends: without these. */
  #takeCredentials({ handshake, request, conn }: Socket): Credentials {
    const fromRequest = this.#shown.get(conn) ?? {};
    const shown = credentialsIn(handshake.auth, fromRequest);
    omit(handshake.auth, 'token', 'apiKey');
    omit(handshake.query, 'access_token', 'apiKey');
    omit(handshake.headers, 'authorization', 'cookie', 'x-api-key');
    omit(request.headers, 'authorization', 'cookie', 'x-api-key');
    handshake.url = handshake.url.replace(/\?.*$/s, '');
    return shown;
  }
}

function omit(fields: unknown, ...names: readonly string[]): void {
  if (typeof fields !== 'object' || fields === null) return;
  for (const name of names) Reflect.deleteProperty(fields, name);
}

/** Refuses a client in the namespace. */
function refuse(refusal: Refusal, next: (error: Error) => void): void {
  next(Object.assign(new Error(refusal.code), { data: refusal.toBody() }));
}
