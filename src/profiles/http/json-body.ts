import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import bodyParser from 'body-parser';
import typeIs from 'type-is';
import { type ErrorCode, Refusal } from '../../core/errors.js';
import { parseJson } from '../../core/parse-json.js';
import { sendRefusal } from './reply.js';

/** A request whose body was read: its text, or the value of its JSON text; undefined when it had no body. */
export type JsonRequest = IncomingMessage & { body?: unknown };

/** Reads what a request brings, then calls `next`, or answers why not. Fits Express, and any request handler. */
export type BodyReader = (req: JsonRequest, res: ServerResponse, next: () => void) => void;

/** An error of the body parser, or of {@link checkEncoding}. */
interface BodyError {
  readonly type?: unknown;
  readonly message?: unknown;
}

/** Codes for the errors of the body parser, by their `type`. */
const ERRORS: ReadonlyMap<unknown, ErrorCode> = new Map<unknown, ErrorCode>([
  ['entity.too.large', 'payload_too_large'],
  ['encoding.invalid', 'invalid_json'],
  ['charset.unsupported', 'unsupported_media_type'],
  ['encoding.unsupported', 'unsupported_media_type'],
]);

/**
 * Reads JSON bodies, of at most `maxBytes`, as text; whether it is JSON is not looked at. `next` finds the text as `body`. Also a
 * protection: a page of another origin can't send this type without asking first (CORS).
 */
export function jsonText(maxBytes: number): BodyReader {
  const read = bodyParser.text({ limit: maxBytes, type: () => true, verify: checkEncoding });
  return (req, res, next) => {
    if (req.method !== 'POST' && req.method !== 'PUT') return next();
    if (typeIs(req, ['application/json']) === false) {
      return sendRefusal(res, new Refusal('unsupported_media_type', 'send Content-Type: application/json'));
    }
    read(req, res, (error?: BodyError) => {
      if (error === undefined) next();
      else sendRefusal(res, new Refusal(ERRORS.get(error.type) ?? 'bad_request', String(error.message)));
    });
  };
}

/** Reads bodies as {@link jsonText} does, and parses them: `next` finds the value as `body`, `{}` of an empty text. */
export function jsonBody(readText: BodyReader): BodyReader {
  return (req, res, next) => {
    readText(req, res, () => {
      if (typeof req.body === 'string') {
        const parsed = parseJson(req.body || '{}');
        if (parsed instanceof Refusal) return sendRefusal(res, parsed);
        req.body = parsed.value;
      }
      next();
    });
  };
}

/** Refuses bytes that are no UTF-8, which decoding would replace by U+FFFD without a word. JSON is UTF-8. Source: RFC 8259, 8.1. */
function checkEncoding(_req: IncomingMessage, _res: ServerResponse, bytes: Buffer, charset: string): void {
  if (charset !== 'utf-8' && charset !== 'utf8') {
    throw Object.assign(new Error(`unsupported charset "${charset}", send UTF-8`), {
      type: 'charset.unsupported',
    });
  }
  if (!isUtf8(bytes)) throw Object.assign(new Error('the body is not UTF-8'), { type: 'encoding.invalid' });
}
