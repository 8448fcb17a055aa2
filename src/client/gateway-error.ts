import type { ProfileDocument } from './wire.js';

/** What a {@link GatewayError} may carry. */
export interface GatewayErrorDetails {
  readonly status?: number;
  readonly retryable?: boolean | undefined;
  readonly retryAfterMs?: number | null;
  readonly profile?: ProfileDocument | null;
}

/**
 * A "no": of the gateway, with its code (PROTOCOL.md, Errors), or of this client: `unreachable` (no answer came, or none
 * of the gateway's), `silent` (a stream fell silent), `timeout` (the time for it is up), `closed` (the client was closed).
 */
export class GatewayError extends Error {
  override readonly name: string = 'GatewayError';
  readonly code: string;
  /** HTTP status of the answer; 0 where there was none. */
  readonly status: number;
  /** True when the same request may succeed later, unchanged. */
  readonly retryable: boolean;
  /** After how many ms a retry makes sense; null when the gateway did not say. */
  readonly retryAfterMs: number | null;
  /** What the gateway serves, where it said so beside its refusal: a transport that is off does. */
  readonly profile: ProfileDocument | null;

  constructor(
    code: string,
    message: string,
    { status = 0, retryable = false, retryAfterMs = null, profile = null }: GatewayErrorDetails = {},
  ) {
    super(message);
    this.code = code;
    this.status = status;
    this.retryable = retryable;
    this.retryAfterMs = retryAfterMs;
    this.profile = profile;
  }
}

/** A loss of the connection, or an answer that is none of the gateway's. */
export function unreachable(message = 'the connection was lost', status = 0): GatewayError {
  return new GatewayError('unreachable', message, { status, retryable: status === 0 || status >= 500 });
}

/** What was thrown, as an error of this kind. Known by its name, since the shared stream's script has a class of its own. */
export function gatewayError(thrown: unknown): GatewayError {
  const error = thrown as Error;
  return error.name === 'GatewayError'
    ? (error as GatewayError)
    : unreachable(`no connection: ${error.message}`);
}

/**
 * True for what a next try may find over: too many requests, a node that can't now, a lost connection. An ack has no
 * status; there it is a refusal that names a time.
 */
export function isPassing({ code, status, retryable, retryAfterMs }: GatewayError): boolean {
  const isTold = status === 429 || status === 503 || (status === 0 && retryAfterMs !== null);
  return retryable && (isTold || code === 'unreachable');
}

/**
 * The error in a body or an ack, with what stands beside it; undefined where there is none. `retryAfter` is the header
 * of that name: seconds, which count where the body says nothing.
 */
export function readError(body: unknown, status = 0, retryAfter?: string | null): GatewayError | undefined {
  const said = body as
    | ({
        error?: { code?: string; message?: string; retryable?: boolean; retryAfterMs?: number };
      } & ProfileDocument)
    | null
    | undefined;
  const error = said?.error;
  if (typeof error?.code !== 'string') return undefined;
  return new GatewayError(error.code, error.message ?? '', {
    status,
    retryable: error.retryable,
    retryAfterMs: error.retryAfterMs ?? (Number(retryAfter) * 1000 || null),
    profile: said?.transports ? said : null,
  });
}
