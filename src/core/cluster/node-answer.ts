import { ERRORS, type ErrorCode, Refusal } from '../errors.js';

/** A refusal as a node sends it to another. */
export interface RefusalAnswer {
  readonly refusal: Pick<Refusal, 'code' | 'message' | 'retryAfterMs'>;
}

/** The fields of a value another node sent; none where it is no object. */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** A refusal for another node to read. */
export function refusalAnswer({ code, message, retryAfterMs }: Refusal): RefusalAnswer {
  return { refusal: { code, message, retryAfterMs } };
}

/** A refusal as another node, perhaps of another version, has sent it; undefined where it sent none. */
export function readRefusal(body: unknown): Refusal | undefined {
  const { code, message, retryAfterMs } = fieldsOf(fieldsOf(body)['refusal']);
  if (!isErrorCode(code) || typeof message !== 'string') return undefined;
  return new Refusal(code, message, typeof retryAfterMs === 'number' ? retryAfterMs : undefined);
}

/** True for a code of this version's table. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERRORS, code);
}
