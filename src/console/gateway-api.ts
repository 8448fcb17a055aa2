import { Fields } from './fields.js';

/** Longest wait for an answer, ms. */
const PATIENCE_MS = 10_000;
/** Codes of an answer that does not take whoever asks for who it says it is. */
const IDENTITY_CODES = ['unauthenticated', 'invalid_token', 'token_expired', 'principal_denied'];

/** What the gateway said no with. */
export class RefusedError extends Error {
  /** The gateway's code; `unreachable` when no answer came. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** True for what was thrown because the gateway must be shown another key or token. */
export function isIdentityRefused(thrown: unknown): thrown is RefusedError {
  return thrown instanceof RefusedError && isIdentityCode(thrown.code);
}

/** True for a code that says that the gateway must be shown another key or token. */
export function isIdentityCode(code: string | null): boolean {
  return code !== null && IDENTITY_CODES.includes(code);
}

/** True for a refusal that stands until the page shows something else. */
export function isRefused(thrown: unknown): boolean {
  return isIdentityRefused(thrown) || (thrown instanceof RefusedError && thrown.code === 'forbidden');
}

/** What a {@link GatewayApi} works with. */
export interface GatewayApiParts {
  /** The key or token to show at that time. */
  readonly token: () => string | undefined;
  /** The gateway refused who showed `token`, with this code. */
  readonly refused: (code: string, token: string | undefined) => void;
}

/** What the page asks the gateway over HTTP, beside its stream. All reject with a {@link RefusedError}. */
export class GatewayApi {
  readonly #parts: GatewayApiParts;

  constructor(parts: GatewayApiParts) {
    this.#parts = parts;
  }

  /** Who shows this, and what it may do, `GET /api/me`. A refusal is told to nobody else. */
  whoIs(token: string | undefined): Promise<Fields> {
    return request('/api/me', token);
  }

  /** What is served, `GET /api/profile`; for whoever asks. */
  profile(): Promise<Fields> {
    return this.#ask('/api/profile');
  }

  /** Whether the gateway is fit to receive traffic, `GET /readyz`; for whoever asks. */
  async readiness(): Promise<Fields> {
    return (await answerTo('/readyz', {})).answer;
  }

  /** Everything the gateway says of itself, `GET /api/admin/status`. */
  status(): Promise<Fields> {
    return this.#ask('/api/admin/status');
  }

  /** The newest commands, `GET /api/admin/commands`. */
  commands(): Promise<Fields> {
    return this.#ask('/api/admin/commands?limit=50');
  }

  /** How the newest flip goes on, `GET /api/admin/profile`. */
  flipReport(): Promise<Fields> {
    return this.#ask('/api/admin/profile');
  }

  /** The newest denials, `GET /api/admin/denied`. */
  denied(): Promise<Fields> {
    return this.#ask('/api/admin/denied?limit=100');
  }

  /** Ends the sessions of a principal and denies it access, for so many `seconds` or until it is lifted. Resolves with the denial. */
  deny(
    principal: string,
    terms: { readonly reason: string | undefined; readonly seconds: number | undefined },
  ): Promise<Fields> {
    return this.#ask(denialPath(principal), {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(terms),
    });
  }

  /** Lifts a denial. */
  lift(principal: string): Promise<Fields> {
    return this.#ask(denialPath(principal), { method: 'DELETE' });
  }

  /** Flips the gateway, or `all` nodes. Resolves with the report. */
  putProfile(profile: string, all: boolean): Promise<Fields> {
    return this.#ask('/api/admin/profile', {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(all ? { profile, all } : { profile }),
    });
  }

  async #ask(path: string, init?: RequestInit): Promise<Fields> {
    const token = this.#parts.token();
    try {
      return await request(path, token, init);
    } catch (error) {
      if (isIdentityRefused(error)) this.#parts.refused(error.code, token);
      throw error;
    }
  }
}

function denialPath(principal: string): string {
  return `/api/admin/denied/${encodeURIComponent(principal)}`;
}

async function request(path: string, token: string | undefined, init: RequestInit = {}): Promise<Fields> {
  const headers = new Headers(init.headers);
  if (token !== undefined) headers.set('Authorization', `Bearer ${token}`);
  const { answer, ok } = await answerTo(path, { ...init, headers });
  if (ok) return answer;
  const error = answer.fields('error');
  throw new RefusedError(error.text('code') ?? 'unreachable', error.text('message') ?? 'no readable answer');
}

async function answerTo(path: string, init: RequestInit): Promise<{ answer: Fields; ok: boolean }> {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const response = await fetch(path, { cache: 'no-store', signal, ...init });
    return { answer: new Fields(await response.json()), ok: response.ok };
  } catch {
    throw new RefusedError('unreachable', 'the gateway does not answer');
  }
}
