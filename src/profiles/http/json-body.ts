import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import typeIs from 'type-is';
import { Refusal } from '../../core/errors.js';
import { parseJson } from '../../core/parse-json.js';
import { sendRefusal } from './reply.js';

/** A request whose body was read: its text, or the value of its JSON text; undefined when it had no body. */
export type JsonRequest = IncomingMessage & { body?: unknown };

/** Reads the body of a request, then calls `next`, or answers why not. Fits Express, and any request handler. */
export type BodyReader = (req: JsonRequest, res: ServerResponse, next: () => void) => void;

/** The encodings that bodies may come in beside none. */
const DECODERS: ReadonlyMap<string, () => Duplex> = new Map<string, () => Duplex>([
  ['gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
]);

const CHARSET = /;\s*charset\s*=\s*"?([^\s;"]*)/i;
const BYTE_ORDER_MARK = 0xfeff;

/**
 * Reads JSON bodies, of at most `maxBytes`, as text; whether it is JSON is not looked at. `next` finds the text as `body`. Also a
 * protection: a page of another origin can't send this type without asking first (CORS).
 */
export function jsonText(maxBytes: number): BodyReader {
  return (req, res, next) => {
    if (!typeIs.hasBody(req)) return next();
    const refusal = refusalOf(req, maxBytes);
    if (refusal !== undefined) return sendRefusal(res, refusal);
    readBytes(req, maxBytes, (bytes) => {
      if (bytes instanceof Refusal) return sendRefusal(res, bytes);
      // Decoding would replace other bytes by U+FFFD without a word. Source: RFC 8259, section 8.1.
      if (!isUtf8(bytes)) return sendRefusal(res, new Refusal('invalid_json', 'the body is not UTF-8'));
      const text = bytes.toString();
      req.body = text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
      next();
    });
  };
}

/** Reads bodies as {@link jsonText} does, and parses them: `next` finds the value as `body`, `{}` of an empty text. */
export function jsonBody(maxBytes: number): BodyReader {
  const readText = jsonText(maxBytes);
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

/** Why a body is not read, by what the head of the request says of it. */
function refusalOf(req: IncomingMessage, maxBytes: number): Refusal | undefined {
  const { 'content-type': type, 'content-length': length, 'content-encoding': encoding } = req.headers;
  if (typeIs(req, ['application/json']) === false) {
    return new Refusal('unsupported_media_type', 'send Content-Type: application/json');
  }
  const charset = CHARSET.exec(type ?? '')?.[1]?.toLowerCase() ?? 'utf-8';
  if (charset !== 'utf-8' && charset !== 'utf8') {
    return new Refusal('unsupported_media_type', `unsupported charset "${charset}", send UTF-8`);
  }
  if (isEncoded(encoding) && !DECODERS.has(encoding.toLowerCase())) {
    return new Refusal('unsupported_media_type', `unsupported content encoding "${encoding}"`);
  }
  return Number(length ?? 0) > maxBytes ? tooLarge(maxBytes) : undefined;
}

/** Reads a body, decoded; stops reading as soon as there are more than `maxBytes`. A connection that breaks has no outcome. */
function readBytes(req: IncomingMessage, maxBytes: number, done: (bytes: Buffer | Refusal) => void): void {
  const encoding = req.headers['content-encoding'];
  const decoder = isEncoded(encoding) ? DECODERS.get(encoding.toLowerCase())?.() : undefined;
  const source = decoder === undefined ? req : req.pipe(decoder);
  const chunks: Buffer[] = [];
  let length = 0;
  let isDone = false;
  const end = (outcome: Buffer | Refusal): void => {
    // Bytes after the end of compressed data are an error of their own.
    if (isDone) return;
    isDone = true;
    source.off('data', take).off('end', finish);
    if (decoder !== undefined) {
      req.unpipe(decoder);
      decoder.destroy();
    }
    done(outcome);
  };
  const take = (chunk: Buffer): void => {
    length += chunk.length;
    chunks.push(chunk);
    if (length > maxBytes) end(tooLarge(maxBytes));
  };
  const finish = (): void => {
    end(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length));
  };
  source.on('data', take).on('end', finish);
  req.on('error', () => decoder?.destroy());
  decoder?.on('error', () => {
    end(
      new Refusal('bad_request', `the body is not encoded as its Content-Encoding says: ${String(encoding)}`),
    );
  });
}

function isEncoded(encoding: string | undefined): encoding is string {
  return encoding !== undefined && encoding.toLowerCase() !== 'identity';
}

function tooLarge(maxBytes: number): Refusal {
  return new Refusal('payload_too_large', `the body has more than ${String(maxBytes)} bytes`);
}
