import type { ServerResponse } from 'node:http';
import { Refusal } from '../../core/errors.js';
import type { Counters } from '../../core/metrics/counters.js';
import { sendRefusal } from './reply.js';

/** Characters that are encoded, and written, at a time. */
const PIECE_LENGTH = 32 * 1024;
/** Answers of more than one piece that may be under way at the same time. */
const UNDER_WAY = { perPrincipal: 128, inAll: 1024 };
const RETRY_AFTER_MS = 1000;

/** A piece of an answer. */
interface Piece {
  readonly bytes: Buffer;
  readonly isLast: boolean;
}

/**
 * Sends answers that may be large, piece by piece: a piece is made when the reader has taken the one before, so that an answer
 * costs the memory of a piece, whatever its size. Limits the answers under way, per principal and in all. Connections whose
 * reader takes nothing are cut by the listener.
 */
export class LargeAnswers {
  readonly #counters: Counters;
  readonly #underWay = new Map<string, number>();
  #inAll = 0;

  constructor(counters: Counters) {
    this.#counters = counters;
  }

  /** Answers 200 with the JSON text that `texts` make together, or 429 `rate_limited` over the limit. */
  sendJson(res: ServerResponse, principal: string, texts: Iterable<string>): void {
    const pieces = inPieces(texts);
    const first = pieces.next().value as Piece;
    const refusal = first.isLast ? undefined : this.#enter(res, principal);
    if (refusal !== undefined) return sendRefusal(res, refusal);
    res.setHeader('Content-Type', 'application/json; charset=utf-8');
    if (first.isLast) res.setHeader('Content-Length', first.bytes.length);
    if (first.isLast || res.req.method === 'HEAD') res.end(first.bytes);
    else write(res, first, pieces);
  }

  /** Counts an answer until its end; the refusal of one too many. */
  #enter(res: ServerResponse, principal: string): Refusal | undefined {
    const already = this.#underWay.get(principal) ?? 0;
    if (already >= UNDER_WAY.perPrincipal)
      return this.#refuse('principal', 'you read too many large answers');
    if (this.#inAll >= UNDER_WAY.inAll) return this.#refuse('all', 'this node sends too many large answers');
    this.#underWay.set(principal, already + 1);
    this.#inAll += 1;
    res.once('close', () => {
      this.#leave(principal);
    });
    return undefined;
  }

  #leave(principal: string): void {
    const left = (this.#underWay.get(principal) ?? 1) - 1;
    if (left === 0) this.#underWay.delete(principal);
    else this.#underWay.set(principal, left);
    this.#inAll -= 1;
  }

  #refuse(reason: string, message: string): Refusal {
    this.#counters.add('answers_refused', reason);
    return new Refusal('rate_limited', `${message} at the same time: try again`, RETRY_AFTER_MS);
  }
}

/** Writes this piece, and each of the others when the one before was taken, between other work. */
function write(res: ServerResponse, { bytes, isLast }: Piece, others: Iterator<Piece>): void {
  if (isLast) return void res.end(bytes);
  const goOn = (): void => {
    setImmediate(() => {
      if (!res.destroyed) write(res, others.next().value as Piece, others);
    });
  };
  if (res.write(bytes)) goOn();
  else res.once('drain', goOn);
}

function* inPieces(texts: Iterable<string>): Generator<Piece> {
  let held = '';
  for (const text of texts) {
    if (held.length + text.length <= PIECE_LENGTH) {
      held += text;
      continue;
    }
    let rest = text;
    if (held !== '') yield { bytes: Buffer.from(held), isLast: false };
    while (rest.length > PIECE_LENGTH) {
      const end = isLeadOfPair(rest.charCodeAt(PIECE_LENGTH - 1)) ? PIECE_LENGTH - 1 : PIECE_LENGTH;
      yield { bytes: Buffer.from(rest.slice(0, end)), isLast: false };
      rest = rest.slice(end);
    }
    held = rest;
  }
  yield { bytes: Buffer.from(held), isLast: true };
}

/** True for the first half of a character of two code units, which must not be cut apart. */
function isLeadOfPair(code: number): boolean {
  return code >= 0xd800 && code < 0xdc00;
}
