import { isDeeperThan, MAX_JSON_DEPTH } from '../parse-json.js';

/** Deepest nesting of a result: the event that tells it has one level more. */
export const MAX_RESULT_DEPTH = MAX_JSON_DEPTH - 1;

const TOO_DEEP = `the result is nested deeper than ${String(MAX_RESULT_DEPTH)} levels`;

/** Why a handler's result cannot be sent to anybody. */
export class UnsendableResult extends Error {
  override readonly name = 'UnsendableResult';
}

/**
 * A handler's result as JSON text; `null` for undefined.
 * Stricter than `JSON.stringify`, which leaves functions and symbols out without a word: what a handler returns
 * arrives whole or not at all.
 * @param maxBytes Most bytes the text may have, in UTF-8.
 * @throws {UnsendableResult} saying what stands in the way: a function, a symbol, a BigInt, a cycle, nesting deeper than
 * {@link MAX_RESULT_DEPTH} levels, a `toJSON` or getter that throws, or too many bytes.
 */
export function resultToJson(result: unknown, maxBytes: number): string {
  let text: string;
  try {
    text = JSON.stringify(result ?? null, refuseUnsendable);
  } catch (error) {
    throw error instanceof UnsendableResult ? error : new UnsendableResult(reasonFor(error));
  }
  const bytes = Buffer.byteLength(text);
  if (bytes > maxBytes) {
    throw new UnsendableResult(`the result has ${String(bytes)} bytes, more than ${String(maxBytes)}`);
  }
  if (isDeeperThan(text, MAX_RESULT_DEPTH)) throw new UnsendableResult(TOO_DEEP);
  return text;
}

function refuseUnsendable(key: string, value: unknown): unknown {
  const kind = typeof value;
  if (kind === 'function' || kind === 'symbol' || kind === 'bigint') {
    const where = key === '' ? 'the result' : `the result's "${key}"`;
    throw new UnsendableResult(`${where} is a ${kind}, which JSON cannot carry`);
  }
  return value;
}

function reasonFor(error: unknown): string {
  if (error instanceof RangeError) return TOO_DEEP;
  const message = error instanceof Error ? error.message : 'unknown reason';
  return message.includes('circular')
    ? 'the result refers to itself, which JSON cannot carry'
    : `the result cannot be written as JSON: ${message}`;
}
