import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.js';
import { Refusal } from '../errors.js';
import type { Counters } from '../metrics/counters.js';
import type { ApiKeys } from './api-keys.js';
import { anonymous, type Authenticator, type Credentials, type Identified } from './authenticator.js';
import type { Caller } from './caller.js';
import { digestOf } from './digest.js';
import { type JwtVerifier, looksLikeJwt } from './jwt-verifier.js';
import type { Rights } from './rights.js';

/** What a {@link TokenAuthenticator} stands on. */
export interface TokenAuthenticatorParts {
  /** Those of the start. */
  readonly keys: ApiKeys;
  /** undefined: no JWT is taken. */
  readonly jwt: JwtVerifier | undefined;
  /** What those may do who show nothing; undefined: they are refused. */
  readonly anonymousRights: Rights | undefined;
  readonly clock: Clock;
  /** Counts `callers_refused`, by code. */
  readonly counters: Counters;
}

/** Most characters of what somebody shows. */
const MAX_LENGTH = 8192;
/** JWTs that are remembered to be good, and for how long: that long a key that was withdrawn is still good. */
const MAX_KNOWN = 10_000;
const KNOWN_MS = 60_000;
/** JWTs that are being checked at the same time; more must come again after so many ms. */
const MAX_CHECKS = 1000;
const BUSY_RETRY_MS = 1000;

/**
 * Tells callers by API keys and JWTs: `AUTH_MODE=token`. Keys, and JWTs that were seen before, are answered at once; only
 * JWTs that are new by a promise.
 */
export class TokenAuthenticator implements Authenticator {
  readonly #parts: TokenAuthenticatorParts;
  /** Callers by the digest of their JWT. */
  readonly #known: LRUCache<string, Caller>;
  readonly #checks = new Map<string, Promise<Caller | Refusal>>();
  #keys: ApiKeys;

  constructor(parts: TokenAuthenticatorParts) {
    this.#parts = parts;
    this.#keys = parts.keys;
    this.#known = new LRUCache({
      max: MAX_KNOWN,
      ttl: KNOWN_MS,
      ttlResolution: 0,
      perf: { now: () => parts.clock.elapsed() },
    });
  }

  /** See {@link Authenticator.identify}. A token counts before an API key; an empty one is none. */
  identify(credentials: Credentials, address: string): Identified {
    const identified = this.#identify(credentials, address);
    return identified instanceof Promise
      ? identified.then((caller) => this.#counted(caller))
      : this.#counted(identified);
  }

  /** From now on these keys count. Returns the ids of callers that were let in by others, or with other rights. */
  takeKeys(keys: ApiKeys): ReadonlySet<string> {
    const gone = this.#keys.notIn(keys);
    this.#keys = keys;
    return gone;
  }

  #identify({ token = '', apiKey = '' }: Credentials, address: string): Identified {
    if (token !== '') return this.#byToken(token);
    const { anonymousRights } = this.#parts;
    if (apiKey !== '')
      return this.#keys.find(apiKey) ?? new Refusal('invalid_token', 'there is no such API key');
    if (anonymousRights !== undefined) return anonymous(address, anonymousRights);
    return new Refusal(
      'unauthenticated',
      'show who you are, with a token or an API key: Authorization: Bearer …',
    );
  }

  #byToken(token: string): Identified {
    if (token.length > MAX_LENGTH)
      return new Refusal('invalid_token', `the token is longer than ${String(MAX_LENGTH)} characters`);
    const { jwt } = this.#parts;
    const caller = this.#keys.find(token);
    if (caller !== undefined) return caller;
    if (!looksLikeJwt(token))
      return new Refusal('invalid_token', 'the token is neither a JWT nor an API key');
    if (jwt === undefined) return new Refusal('invalid_token', 'no JWTs are taken here');
    const digest = digestOf(token);
    return this.#remembered(digest) ?? this.#checked(digest, token, jwt);
  }

  #remembered(digest: string): Caller | undefined {
    const caller = this.#known.get(digest);
    // One that has expired is checked again: the check says so.
    if (caller === undefined || (caller.expiresAt ?? Number.POSITIVE_INFINITY) > this.#parts.clock.now())
      return caller;
    return undefined;
  }

  #checked(digest: string, token: string, jwt: JwtVerifier): Identified {
    const running = this.#checks.get(digest);
    if (running !== undefined) return running;
    if (this.#checks.size >= MAX_CHECKS)
      return new Refusal('auth_unavailable', 'too many tokens are being checked', BUSY_RETRY_MS);
    const check = this.#check(digest, token, jwt).finally(() => {
      this.#checks.delete(digest);
    });
    this.#checks.set(digest, check);
    return check;
  }

  async #check(digest: string, token: string, jwt: JwtVerifier): Promise<Caller | Refusal> {
    const caller = await jwt.verify(token);
    if (!(caller instanceof Refusal)) this.#known.set(digest, caller);
    return caller;
  }

  #counted(identified: Caller | Refusal): Caller | Refusal {
    if (identified instanceof Refusal) this.#parts.counters.add('callers_refused', identified.code);
    return identified;
  }
}
