import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.js';
import { Refusal } from '../errors.js';
import type { Counters } from '../metrics/counters.js';
import type { ApiKeys } from './api-keys.js';
import { type Authenticator, anonymous, type Credentials, type Identified } from './authenticator.js';
import type { Caller } from './caller.js';
import { digestOf } from './digest.js';
import { type JwtVerifier, looksLikeJwt } from './jwt-verifier.js';
import type { Rights } from './rights.js';
import { SignInBackoff } from './sign-in-backoff.js';

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

/** Most characters of a token or key. */
const MAX_LENGTH = 8192;
/** JWTs that are remembered to be good, or to have expired, and for how long: that long a key that was withdrawn is still good. */
const MAX_KNOWN = 10_000;
const KNOWN_MS = 60_000;

/**
 * Tells callers by API keys and JWTs: `AUTH_MODE=token`. Keys, and JWTs that were seen before, are answered at once; only
 * JWTs that are new by a promise. How many are checked at once is bounded by the connections that bring them; of those that
 * must wait for a key by {@link JwksSource}. A bound for all would be one that strangers fill for those who need not wait. Too
 * many wrong ones slow down their address: see {@link SignInBackoff}.
 */
export class TokenAuthenticator implements Authenticator {
  readonly #parts: TokenAuthenticatorParts;
  /** Callers by the digest of their JWT. */
  readonly #known: LRUCache<string, Caller>;
  /** Checks that are under way, by the digest of the JWT: who shows the same shares one. */
  readonly #checks = new Map<string, Promise<Caller | Refusal>>();
  /** JWTs that have expired, by their digest: they are not checked again. */
  readonly #expired: LRUCache<string, Refusal>;
  readonly #backoff: SignInBackoff;
  #keys: ApiKeys;

  constructor(parts: TokenAuthenticatorParts) {
    this.#parts = parts;
    this.#keys = parts.keys;
    this.#backoff = new SignInBackoff(parts.clock);
    const perf = { now: () => parts.clock.elapsed() };
    this.#known = new LRUCache({ max: MAX_KNOWN, ttl: KNOWN_MS, ttlResolution: 0, perf });
    this.#expired = new LRUCache({ max: MAX_KNOWN, ttl: KNOWN_MS, ttlResolution: 0, perf });
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
    if (token !== '') return this.#byShown(token, address, true);
    if (apiKey !== '') return this.#byShown(apiKey, address, false);
    const { anonymousRights } = this.#parts;
    if (anonymousRights !== undefined) return anonymous(address, anonymousRights);
    return new Refusal(
      'unauthenticated',
      'show who you are, with a token or an API key: Authorization: Bearer …',
    );
  }

  #byShown(shown: string, address: string, mayBeJwt: boolean): Identified {
    if (shown.length > MAX_LENGTH)
      return new Refusal('invalid_token', `the token is longer than ${String(MAX_LENGTH)} characters`);
    const digest = digestOf(shown);
    const known = mayBeJwt ? this.#remembered(digest) : undefined;
    if (known !== undefined) return known;
    const tooMany = this.#backoff.refusalOfKey(address, digest);
    const caller = tooMany === undefined ? this.#keys.find(digest) : undefined;
    if (caller !== undefined) {
      this.#backoff.goodKey(address, digest);
      return caller;
    }
    const { jwt } = this.#parts;
    const isJwt = mayBeJwt && looksLikeJwt(shown);
    if (isJwt && jwt !== undefined) return this.#byJwt(shown, digest, address, jwt);
    if (tooMany !== undefined) return tooMany;
    this.#backoff.wrongKey(address, digest);
    if (!mayBeJwt) return new Refusal('invalid_token', 'there is no such API key');
    const fault = isJwt ? 'no JWTs are taken here' : 'the token is neither a JWT nor an API key';
    return new Refusal('invalid_token', fault);
  }

  #remembered(digest: string): Caller | Refusal | undefined {
    const caller = this.#known.get(digest);
    // One that has expired is checked again: the check says so.
    const isGood = (caller?.expiresAt ?? Number.POSITIVE_INFINITY) > this.#parts.clock.now();
    return caller !== undefined && isGood ? caller : this.#expired.get(digest);
  }

  #byJwt(token: string, digest: string, address: string, jwt: JwtVerifier): Identified {
    const running = this.#checks.get(digest);
    if (running !== undefined) return running;
    const tooMany = this.#backoff.refusalOfJwt(address, digest);
    if (tooMany !== undefined) return tooMany;
    const check = this.#check(token, digest, address, jwt).finally(() => {
      this.#checks.delete(digest);
    });
    this.#checks.set(digest, check);
    return check;
  }

  async #check(token: string, digest: string, address: string, jwt: JwtVerifier): Promise<Caller | Refusal> {
    const caller = await jwt.verify(token);
    if (!(caller instanceof Refusal)) {
      this.#known.set(digest, caller);
      this.#backoff.goodJwt(digest);
    } else if (caller.code === 'token_expired') this.#expired.set(digest, caller);
    else if (caller.code === 'invalid_token') this.#backoff.wrongJwt(address, digest);
    return caller;
  }

  #counted(identified: Caller | Refusal): Caller | Refusal {
    if (identified instanceof Refusal) this.#parts.counters.add('callers_refused', identified.code);
    return identified;
  }
}
