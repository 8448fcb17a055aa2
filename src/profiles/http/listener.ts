import http, { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Refusal } from '../../core/errors.js';
import type { Counters } from '../../core/metrics/counters.js';
import type { ConnectionLimits } from './connection-limits.js';
import type { Door } from './door.js';
import type { OriginPolicy } from './origin-policy.js';
import { isEnding } from './end-connection.js';
import { isSamePath } from './profile-document.js';
import { type RefusalAudit, responsesAuditedBy } from './refusal-audit.js';
import { pathOf, refuseUpgrade, sendRefusal } from './reply.js';
import { StalledAnswers } from './stalled-answers.js';
import { withCors, withDocumentHeaders } from './security-headers.js';
import { WaitingRequests } from './waiting-requests.js';

/** Connections that may wait to be accepted: a whole fleet may come back at once. */
const BACKLOG = 4096;

/** Between two looks at answers that are not read, ms. */
const LOOK_MS = 2000;

/** What a request may take: bytes of its head; ms for its head, for all of it; ms between two looks at those that take too long. */
const REQUEST_LIMITS = {
  maxHeaderSize: 16_384,
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  connectionsCheckingInterval: 2000,
  // The door says so, in the one shape of a refusal.
  requireHostHeader: false,
} as const;

/** How long requests may take, as `http.createServer` is told. */
export type RequestTimes = Pick<
  http.ServerOptions,
  'headersTimeout' | 'requestTimeout' | 'connectionsCheckingInterval'
>;

/** Headers of an offer to leave HTTP/1.1. */
const OFFER = /^(upgrade|connection|http2-settings)$/i;

/** What is attached to the listener: all requests at a path, and, unless `exact`, below it. */
export interface Mount {
  /** Such as `/socket.io`. */
  readonly path: string;
  /** True to take the path alone, and nothing below it. */
  readonly exact?: boolean;
  readonly request: RequestListener;
  /** Whether it takes this request; those it does not take are answered as if it were not there. Default: all. */
  readonly takes?: (req: IncomingMessage) => boolean;
  /** Takes over a websocket upgrade at the path; without it, upgrades are refused. */
  readonly upgrade?: (req: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** What a {@link Listener} is made of. */
export interface ListenerParts {
  readonly door: Door;
  readonly limits: ConnectionLimits;
  readonly origins: OriginPolicy;
  readonly counters: Counters;
  /** Audits refusals. */
  readonly refusals: RefusalAudit;
  /** ms that a request may take for its head and for all of it, and between two looks. Default: 10 s, 60 s, 2 s. */
  readonly times?: RequestTimes;
  /** Answers what no mount takes. */
  readonly fallback: RequestListener;
  /** Why there is no upgrade at a path that no mount takes, and what to say beside it. */
  readonly refuseUpgrade: (path: string) => { readonly refusal: Refusal; readonly extra: object };
}

/** The one HTTP listener: it lives as long as the process, while profiles attach to it and detach. */
export class Listener {
  readonly #parts: ListenerParts;
  readonly #server: http.Server;
  readonly #answer: RequestListener;
  readonly #mounts = new Set<Mount>();
  /** Sockets that left HTTP: the server knows them no more, but they hold it open. */
  readonly #departed = new Set<Duplex>();
  /** Called by each of them, as `this`, when it is closed: one function for all. */
  readonly #onDepartedClose: (this: Duplex) => void;
  /** Answers that have begun and want their connection for themselves, by their requests. */
  readonly #takenOver = new WeakMap<IncomingMessage, ServerResponse>();
  readonly #stalled: StalledAnswers;
  readonly #endLooks: () => void;
  readonly #waiting = new WaitingRequests();
  /** Connections that were given back to HTTP: they are counted already. */
  readonly #returned = new WeakSet<Duplex>();

  constructor(parts: ListenerParts) {
    this.#parts = parts;
    this.#stalled = new StalledAnswers(parts.counters);
    const looks = setInterval(() => {
      this.#stalled.look(performance.now());
    }, LOOK_MS).unref();
    this.#endLooks = () => {
      clearInterval(looks);
    };
    // What a mount answers is no document, and a stream keeps its headers for as long as it lives.
    const fallback = withDocumentHeaders(parts.fallback);
    this.#answer = withCors(parts.origins, (req, res) => {
      const mount = this.#mountFor(req);
      if (mount === undefined) fallback(req, res);
      else mount.request(req, res);
    });
    const options = { ...REQUEST_LIMITS, ...parts.times, ServerResponse: responsesAuditedBy(parts.refusals) };
    this.#server = http.createServer(options, (req, res) => {
      // Node has each answer wait for the ones before, and has all of them made at once.
      if (res.socket === null) this.#answerInTurn(req, res);
      else this.#receive(req, res);
    });
    this.#server.on('checkExpectation', (_req, res) => {
      const refusal = new Refusal('bad_request', 'of all expectations only 100-continue is met');
      parts.counters.add('http_refused', refusal.code);
      sendRefusal(res.setHeader('Connection', 'close'), refusal);
    });
    this.#server.prependListener('connection', (socket) => {
      this.#stalled.watch(socket);
      if (!this.#returned.has(socket)) parts.limits.admit(socket);
    });
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      this.#refuseRequest(error, socket);
    });
    this.#server.on('upgrade', (req, socket, head) => {
      const res = this.#takenOver.get(req);
      if (res === undefined) this.#upgrade(req, socket, head);
      else this.#takeOut(res, socket as Socket);
    });
    const departed = this.#departed;
    this.#onDepartedClose = function () {
      departed.delete(this);
    };
  }

  /** Attaches; returns what detaches. */
  mount(mount: Mount): () => void {
    this.#mounts.add(mount);
    return () => {
      this.#mounts.delete(mount);
    };
  }

  /**
   * Lets a connection out of HTTP's hands: what is written to its socket from now on is the caller's, until its end.
   * `req` must be in the middle of being handled. Of what HTTP held for the request, nothing is left; where the head of
   * the answer is not written by then, `res` is, until {@link letGo}. Where it can't be done (the client has sent another
   * request already), the connection stays with HTTP, which holds that request back until the socket is closed.
   */
  takeOver(req: IncomingMessage, res: ServerResponse): void {
    this.#takenOver.set(req, res);
    // Node looks at this once the request was handled, and then parts with the socket as it does for a websocket.
    (req as { upgrade?: boolean }).upgrade = true;
  }

  /** The head of an answer is written whose request was taken over before that, and what follows goes to the socket. */
  letGo(res: ServerResponse): void {
    const { socket } = res;
    // An answer that ends by itself parts with the socket; and where it could not be taken over, HTTP still has it.
    if (socket !== null && !res.writableEnded && this.#departed.has(socket)) res.detachSocket(socket);
  }

  /** Answers a request as it would be answered now, for who took it and can not answer it any more. */
  answerAnew(req: IncomingMessage, res: ServerResponse): void {
    this.#answer(req, res);
  }

  /** Listens; resolves with the address, whose port is the system's choice when `port` is 0. Rejects when it can't. */
  async listen(port: number, host: string): Promise<AddressInfo> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ port, host, backlog: BACKLOG }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    return this.#server.address() as AddressInfo;
  }

  /**
   * Accepts no more. Connections that left HTTP were ended before, by whoever mounted them; those that were not are cut.
   * Requests in flight, and clients that still read what an ended connection was written, have `graceMs`; then their
   * connections are cut.
   */
  async close(graceMs: number): Promise<void> {
    for (const socket of this.#departed) if (!isEnding(socket) && !socket.writableEnded) socket.destroy();
    const cut = setTimeout(() => {
      for (const socket of this.#departed) socket.destroy();
      this.#server.closeAllConnections();
    }, graceMs);
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
      this.#server.closeIdleConnections();
    });
    clearTimeout(cut);
    this.#endLooks();
  }

  #answerInTurn(req: IncomingMessage, res: ServerResponse): void {
    const isHeld = this.#waiting.hold(req, res, () => {
      this.#receive(req, res);
    });
    // Requests that came along with the one too many are still read.
    if (isHeld || req.socket.destroyed) return;
    this.#parts.counters.add('http_refused', 'rate_limited');
    req.socket.destroy();
  }

  #receive(req: IncomingMessage, res: ServerResponse): void {
    const refusal = this.#parts.door.refusalFor(req);
    if (refusal === undefined) this.#answer(req, res);
    else sendRefusal(res, refusal);
  }

  #upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (req.headers.upgrade?.toLowerCase() !== 'websocket')
      return this.#goOnWithoutUpgrade(req, socket, head);
    this.#depart(socket);
    const turnedAway = this.#parts.door.refusalFor(req);
    if (turnedAway !== undefined) {
      this.#parts.refusals.ofRequest(req, turnedAway);
      return refuseUpgrade(socket, turnedAway);
    }
    const upgrade = this.#mountFor(req)?.upgrade;
    if (upgrade === undefined) {
      const { refusal, extra } = this.#parts.refuseUpgrade(pathOf(req));
      refuseUpgrade(socket, refusal, extra);
    } else {
      upgrade(req, socket, head);
    }
  }

  #depart(socket: Duplex): void {
    this.#stalled.leaveOut(socket as Socket);
    this.#departed.add(socket);
    // Node has taken its own listener away, and an error that nobody listens to ends the process.
    socket.on('error', ignore).on('close', this.#onDepartedClose);
  }

  #takeOut(res: ServerResponse, socket: Socket): void {
    this.#depart(socket);
    if (res.headersSent) res.detachSocket(socket);
    // What a client sends after its request means nothing; its end is the end of the stream.
    socket.on('end', endThis).resume();
  }

  /**
   * Clients that offer another protocol (`h2c`) expect HTTP/1.1 where it isn't taken, but Node hands over every request
   * with an `Upgrade`: it is given back, as it came, without the offer. Source: RFC 9110, section 7.8.
   */
  #goOnWithoutUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    const lines = [`${String(req.method)} ${String(req.url)} HTTP/${req.httpVersion}`];
    for (let index = 0; index + 1 < req.rawHeaders.length; index += 2) {
      const name = String(req.rawHeaders[index]);
      if (!OFFER.test(name)) lines.push(`${name}: ${String(req.rawHeaders[index + 1])}`);
    }
    socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
    this.#returned.add(socket);
    this.#server.emit('connection', socket);
  }

  /** What can't be read, is too large, or too slow, is told so, and its connection closed. */
  #refuseRequest({ code }: NodeJS.ErrnoException, socket: Duplex): void {
    const refusal = UNREADABLE.get(code) ?? new Refusal('bad_request', 'this is no HTTP request');
    if (code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    this.#parts.counters.add('http_refused', refusal.code);
    refuseUpgrade(socket, refusal);
  }

  #mountFor(req: IncomingMessage): Mount | undefined {
    const path = pathOf(req);
    for (const mount of this.#mounts) {
      const isThere = mount.exact === true ? isSamePath(path, mount.path) : isAtOrBelow(path, mount.path);
      if (isThere && mount.takes?.(req) !== false) return mount;
    }
    return undefined;
  }
}

/** Why a request can't be taken, by the codes of Node's parser. */
const UNREADABLE: ReadonlyMap<string | undefined, Refusal> = new Map([
  ['HPE_HEADER_OVERFLOW', new Refusal('headers_too_large', 'the head of a request has at most 16 KiB')],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', new Refusal('payload_too_large', 'too many chunk extensions')],
  ['ERR_HTTP_REQUEST_TIMEOUT', new Refusal('request_timeout', 'the request did not come in time')],
]);

function isAtOrBelow(path: string, mount: string): boolean {
  return path === mount || path.startsWith(`${mount}/`);
}

/** An error is followed by the socket's close, which is all that counts. */
function ignore(): void {}

function endThis(this: Socket): void {
  this.end();
}
