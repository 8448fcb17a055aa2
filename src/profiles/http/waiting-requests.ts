import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Bounds of one connection: requests that wait, and the weight of all but the first. */
const MOST = { requests: 32, weight: 32 * 1024 };
/** Weight of a header beside its characters, bytes: two strings, and their places in a list and in a map. */
const HEADER_WEIGHT = 64;
/** Weight of a body of unknown length, bytes: so much of it is read before anybody asks for it. */
const BODY_WEIGHT = 16 * 1024;

/** How much waits on a connection. */
interface Waiting {
  requests: number;
  weight: number;
}

/**
 * Requests that clients send before they have the answers to those before: an answer at a time for each connection, so that what
 * clients ask for without reading is not made, and no more of them than a small weight, since all of it is held until then.
 */
export class WaitingRequests {
  readonly #waiting = new WeakMap<Socket, Waiting>();

  /** Calls `answer` once it is the request's turn. Returns false where too much waits on its connection: nothing will be called. */
  hold(req: IncomingMessage, res: ServerResponse, answer: () => void): boolean {
    const { socket } = req;
    const waiting = this.#waiting.get(socket) ?? { requests: 0, weight: 0 };
    const weight = weightOf(req);
    const isFirst = waiting.requests === 0;
    if (!isFirst && (waiting.requests >= MOST.requests || waiting.weight + weight > MOST.weight))
      return false;
    waiting.requests += 1;
    waiting.weight += weight;
    this.#waiting.set(socket, waiting);
    res.once('socket', () => {
      waiting.requests -= 1;
      waiting.weight -= weight;
      answer();
    });
    return true;
  }
}

/** What a request that nobody has looked at holds in memory, bytes, roughly. */
function weightOf({ rawHeaders, headers, url = '' }: IncomingMessage): number {
  const length = headers['content-length'] ?? (headers['transfer-encoding'] === undefined ? 0 : BODY_WEIGHT);
  const characters = rawHeaders.reduce((sum, text) => sum + text.length, url.length);
  return characters + (rawHeaders.length / 2) * HEADER_WEIGHT + Math.min(Number(length), BODY_WEIGHT);
}
