import { type GatewayError, readError, unreachable } from './gateway-error.js';

/** For `fetch`, whose types in Node know nothing of caches: answers are never taken from one. */
export const UNCACHED = { cache: 'no-store' } as const;

/** Where a token comes from: itself, or what is asked anew each time. */
export type TokenSource = string | (() => string | Promise<string>);

/** An answer of whoever answered: the gateway, or a proxy before it. */
export interface Answer {
  readonly status: number;
  /** JSON; undefined when it is none. */
  readonly body: unknown;
  /** The header of that name. */
  readonly retryAfter?: string | null;
}

/** What {@link ask} may be told. */
export interface Request {
  /** Sent as JSON with POST; absent: GET. */
  readonly body?: unknown;
  readonly token?: TokenSource | undefined;
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal | undefined;
  /** ms for the whole of it. Default 15 s. */
  readonly timeoutMs?: number;
}

/** The token of now. */
export async function tokenOf(source: TokenSource | undefined): Promise<string | undefined> {
  return typeof source === 'function' ? await source() : source;
}

/** The header that carries a token. */
export function authorization(token: string | undefined): Record<string, string> {
  return token ? { Authorization: `Bearer ${token}` } : {};
}

/**
 * Asks over HTTP. Rejects with `unreachable` when no answer comes, with the signal's reason when that aborts it, and with what
 * the token's source rejects with.
 */
export async function ask(url: string, request: Request = {}): Promise<Answer> {
  const { body, token, idempotencyKey, signal, timeoutMs = 15_000 } = request;
  const headers = authorization(await tokenOf(token));
  if (body) headers['Content-Type'] = 'application/json';
  if (idempotencyKey) headers['Idempotency-Key'] = idempotencyKey;
  const stop = new AbortController();
  const abort = (): void => {
    stop.abort();
  };
  const timer = setTimeout(abort, timeoutMs);
  signal?.addEventListener('abort', abort, { signal: stop.signal });
  try {
    signal?.throwIfAborted();
    const response = await fetch(url, {
      ...UNCACHED,
      method: body ? 'POST' : 'GET',
      headers,
      body: JSON.stringify(body),
      signal: stop.signal,
    });
    return await readAnswer(response);
  } catch {
    signal?.throwIfAborted();
    throw unreachable('the gateway does not answer');
  } finally {
    clearTimeout(timer);
    // All is read by now; this lets go of the caller's signal.
    abort();
  }
}

/** What is at an address. Rejects with the gateway's refusal, or as {@link ask} does. */
export async function get<T>(url: string, request?: Request): Promise<T> {
  const answer = await ask(url, request);
  if (answer.status !== 200) throw errorOf(answer);
  return answer.body as T;
}

/** The whole of an answer. */
export async function readAnswer(response: Response): Promise<Answer> {
  const text = await response.text();
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    // A proxy's page: its status says enough.
  }
  return { status: response.status, body, retryAfter: response.headers.get('Retry-After') };
}

/** What an answer that is no success refuses with. */
export function errorOf({ status, body, retryAfter }: Answer): GatewayError {
  return (
    readError(body, status, retryAfter) ?? unreachable(`an answer with status ${String(status)}`, status)
  );
}
