import type { IncomingMessage, ServerResponse } from 'node:http';
import bodyParser from 'body-parser';
import typeIs from 'type-is';
import { type ErrorCode, Refusal } from '../../core/errors.js';
import { sendRefusal } from './reply.js';

/** A request whose body was read: the value of its JSON text, undefined when it had no body. */
export type JsonRequest = IncomingMessage & { readonly body?: unknown };

/** Reads what a request brings, then calls `next`, or answers why not. Fits Express, and any request handler. */
export type BodyReader = (req: JsonRequest, res: ServerResponse, next: () => void) => void;

/** Codes for the errors of the body parser, by their `type`. */
const ERRORS: ReadonlyMap<unknown, ErrorCode> = new Map<unknown, ErrorCode>([
  ['entity.too.large', 'payload_too_large'],
  ['entity.parse.failed', 'invalid_json'],
  ['charset.unsupported', 'unsupported_media_type'],
  ['encoding.unsupported', 'unsupported_media_type'],
]);

/**
 * Bodies are JSON, of at most `maxBytes`. Also a protection: a page of another origin can't send this type without
 * asking first (CORS).
 */
export function jsonBody(maxBytes: number): BodyReader {
  const parse = bodyParser.json({ limit: maxBytes, strict: false });
  return (req, res, next) => {
    if (req.method !== 'POST' && req.method !== 'PUT') return next();
    if (typeIs(req, ['application/json']) === false) {
      return sendRefusal(res, new Refusal('unsupported_media_type', 'send Content-Type: application/json'));
    }
    parse(req, res, (error?: { readonly type?: unknown; readonly message?: unknown }) => {
      if (error === undefined) next();
      else sendRefusal(res, new Refusal(ERRORS.get(error.type) ?? 'bad_request', String(error.message)));
    });
  };
}
