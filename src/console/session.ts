import { type GatewayApi, isIdentityRefused, RefusedError } from './gateway-api.js';
import { Permissions } from './permissions.js';
import type { TokenStore } from './token-store.js';

/** What a {@link Session} works with. */
export interface SessionParts {
  readonly api: GatewayApi;
  readonly tokens: TokenStore;
  /** The page is in, or may do something else than before. */
  readonly entered: (permissions: Permissions) => void;
  /** The page is out: it must show who it is. With the code of the gateway's refusal. */
  readonly left: (code: string) => void;
}

/** Whether the gateway knows this page, and what it may do there. */
export class Session {
  readonly #parts: SessionParts;
  #permissions: Permissions | undefined;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /** What the page may do; undefined while it is out, or nothing is known yet. */
  get permissions(): Permissions | undefined {
    return this.#permissions;
  }

  /** Asks who the page is; where there is no answer, it stays what it was. */
  async check(): Promise<void> {
    const { api, tokens } = this.#parts;
    const { token } = tokens;
    const found = await api.whoIs(token).then(
      (me) => Permissions.of(me),
      (error: unknown) => error,
    );
    if (tokens.token !== token) return;
    if (found instanceof Permissions) this.#enter(found);
    else if (isIdentityRefused(found)) this.lost(found.code, token);
    else if (this.#permissions === undefined) this.#enter(Permissions.UNKNOWN);
  }

  /** Tries to get in with a key or token. Resolves with why that failed, for people; empty when it is in. */
  async signIn(typed: string): Promise<string> {
    const { api, tokens } = this.#parts;
    const token = readToken(typed);
    if (token === '') return 'A key or token has no such characters.';
    try {
      const found = Permissions.of(await api.whoIs(token));
      tokens.keep(token);
      this.#enter(found);
      return '';
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      return describeRefusal(error);
    }
  }

  /** The gateway refused who showed `token`. What another one was refused with means nothing any more. */
  lost(code: string, token: string | undefined): void {
    const { tokens, left } = this.#parts;
    if (tokens.token !== token) return;
    tokens.forget();
    this.#permissions = undefined;
    left(code);
  }

  #enter(permissions: Permissions): void {
    this.#permissions = permissions;
    this.#parts.entered(permissions);
  }
}

/** A key or token as it was typed or pasted; empty where it can be none. */
export function readToken(typed: string): string {
  const token = typed.trim().replace(/^bearer\s+/i, '');
  return /^[\x21-\x7e]+$/.test(token) ? token : '';
}

function describeRefusal({ code, message }: RefusedError): string {
  if (code === 'invalid_token') return `That is not known here: ${message}.`;
  if (code === 'token_expired') return 'That token has expired. Get a fresh one.';
  if (code === 'too_many_attempts')
    return 'Too many wrong keys came from your address. Wait a minute, then try again.';
  if (code === 'principal_denied') return 'An operator has denied access to that.';
  if (code === 'unreachable') return 'The gateway does not answer. Try again.';
  return `${code}: ${message}. Try again.`;
}
