import {
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  jwtVerify,
  type ProtectedHeaderParameters,
} from 'jose';
import type { Clock } from '../clock.js';
import { Refusal } from '../errors.js';
import type { Caller } from './caller.js';
import type { JwksSource } from './jwks.js';
import { isSubject } from './principal-id.js';
import { parseRights, Rights } from './rights.js';
import {
  JWT_ALGORITHMS,
  type JwtAlgorithm,
  parsePublicKeys,
  parseSecret,
  type VerificationKey,
} from './verification-key.js';

/** What JWTs are checked with: at least one of secret, public key and JWKS. */
export interface JwtSettings {
  /** For HS256, and for nothing else. */
  readonly secret?: string | undefined;
  /** A second one, while secrets are rotated. */
  readonly previousSecret?: string | undefined;
  /** One key or several, each for the algorithm of its type, and for nothing else. */
  readonly publicKeyPem?: string | undefined;
  /** For RS256, ES256 and EdDSA. */
  readonly jwks?: JwksSource | undefined;
  /** What `iss` must be; undefined: it is not looked at. */
  readonly issuer?: string | undefined;
  /** What `aud` must be or have; undefined: it is not looked at. */
  readonly audience?: string | undefined;
  /** Longest lifetime of a token, ms; 0: no limit. Default: 0. */
  readonly maxLifetimeMs?: number;
  readonly clock: Clock;
}

/** Most characters of a token. */
const MAX_LENGTH = 8192;
/** How far another's clock may be ahead: s by which `nbf` may be in the future, and a lifetime may be longer. */
const TOLERANCE_S = 5;
/** Keys that are tried for a token that names none. */
const MAX_TRIED = 8;
/** The last moment there is, ms since the epoch. Source: ECMA-262, "time values". */
const MAX_TIME_MS = 8.64e15;
const SHAPE = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;

const FAULTS: ReadonlyMap<string, string> = new Map([
  ['iss', 'it is of another issuer'],
  ['aud', 'it is for another audience'],
  ['nbf', 'it is not yet valid'],
  ['sub', 'it needs a claim "sub": 1–256 characters, none of them control characters'],
  ['exp', 'it needs a claim "exp": a time, in seconds'],
]);

/** True for what has the shape of a JWT: three parts in base64url, the first one a header, the last one may be empty. */
export function looksLikeJwt(token: string): boolean {
  return headerOf(token) !== undefined;
}

/**
 * Checks JWTs (RFC 7519) that are signed (RFC 7515). Which key and algorithm count is ours to say: nothing in a token leads
 * to a key but the name (`kid`) of one that is known.
 */
export class JwtVerifier {
  readonly #settings: JwtSettings;
  readonly #fixed: readonly VerificationKey[];

  /** @throws when a secret or a public key is none: see {@link parseSecret} and {@link parsePublicKeys}. */
  constructor(settings: JwtSettings) {
    const { secret, previousSecret, publicKeyPem } = settings;
    const secrets = [secret, previousSecret].filter((one) => one !== undefined);
    this.#settings = settings;
    this.#fixed = [
      ...secrets.map((one) => sound('JWT secret', parseSecret(one))),
      ...(publicKeyPem === undefined ? [] : sound('JWT public key', parsePublicKeys(publicKeyPem))),
    ];
  }

  /**
   * Whose token it is: `user:<sub>`, until `exp`, with the rights of its claim `flipgate`. Refused: `invalid_token`,
   * `token_expired`, `auth_unavailable`. Never rejects.
   */
  async verify(token: string): Promise<Caller | Refusal> {
    if (token.length > MAX_LENGTH) return invalid(`it is longer than ${String(MAX_LENGTH)} characters`);
    const header = headerOf(token);
    if (header === undefined) return unreadable();
    const alg = JWT_ALGORITHMS.find((known) => known === header.alg);
    if (alg === undefined) return wrongAlgorithm();
    const { kid } = header;
    if (kid !== undefined && typeof kid !== 'string') return unreadable();
    const fixed = this.#fixed.filter((key) => key.alg === alg);
    const checked = await this.#check(token, fixed);
    if (checked !== undefined) return checked;
    if (this.#settings.jwks !== undefined && alg !== 'HS256')
      return await this.#checkByJwks(token, alg, kid, this.#settings.jwks);
    return fixed.length > 0 ? wrongSignature() : wrongAlgorithm();
  }

  async #checkByJwks(
    token: string,
    alg: JwtAlgorithm,
    kid: string | undefined,
    jwks: JwksSource,
  ): Promise<Caller | Refusal> {
    const keys = await jwks.keysFor(alg, kid);
    if (keys instanceof Refusal) return keys;
    if (keys.length === 0) return invalid('it is signed with a key that is not known');
    const checked = await this.#check(token, keys);
    if (checked !== undefined) return checked;
    if (kid !== undefined) return wrongSignature();
    // Without names nothing tells a new key but that no old one fits.
    const newer = await jwks.keysFor(alg, kid, keys);
    return newer instanceof Refusal ? newer : ((await this.#check(token, newer)) ?? wrongSignature());
  }

  /** The caller, or why not; undefined when none of the keys has signed it. */
  async #check(token: string, keys: readonly VerificationKey[]): Promise<Caller | Refusal | undefined> {
    for (const key of keys.slice(0, MAX_TRIED)) {
      // One after another: the first is nearly always the one.
      const claims = await this.#claimsOf(token, key);
      if (claims instanceof Refusal) return claims;
      if (claims !== undefined) return this.#callerOf(claims);
    }
    return undefined;
  }

  #callerOf(claims: JWTPayload): Caller | Refusal {
    const { clock, maxLifetimeMs = 0 } = this.#settings;
    const now = clock.now();
    const caller = callerOf(claims, now);
    if (caller instanceof Refusal || maxLifetimeMs === 0) return caller;
    // A token that says to be from the future has its lifetime from now.
    const issuedAt = Math.min(now, (claims.iat ?? Infinity) * 1000);
    if ((claims.exp ?? Infinity) * 1000 - issuedAt <= maxLifetimeMs + TOLERANCE_S * 1000) return caller;
    return invalid(`its lifetime is longer than ${String(maxLifetimeMs / 1000)} s (JWT_MAX_LIFETIME)`);
  }

  async #claimsOf(token: string, { alg, key }: VerificationKey): Promise<JWTPayload | Refusal | undefined> {
    const { issuer, audience, clock } = this.#settings;
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: [alg],
        currentDate: new Date(clock.now()),
        clockTolerance: TOLERANCE_S,
        requiredClaims: ['sub', 'exp'],
        ...(issuer === undefined ? {} : { issuer }),
        ...(audience === undefined ? {} : { audience }),
      });
      return payload;
    } catch (error) {
      return error instanceof errors.JWSSignatureVerificationFailed ? undefined : refusalOf(error);
    }
  }
}

function sound<T>(name: string, key: T | string): T {
  if (typeof key === 'string') throw new Error(`${name}: ${key}`);
  return key;
}

function headerOf(token: string): ProtectedHeaderParameters | undefined {
  if (!SHAPE.test(token)) return undefined;
  try {
    return decodeProtectedHeader(token);
  } catch {
    return undefined;
  }
}

function callerOf(claims: JWTPayload, nowMs: number): Caller | Refusal {
  const { sub, exp } = claims;
  if (!isSubject(sub)) return wrongClaim('sub');
  if (exp === undefined || Math.abs(exp * 1000) > MAX_TIME_MS) return wrongClaim('exp');
  const expiresAt = Math.floor(exp * 1000);
  // To the second: what it opened ends then, and what comes later must not be let in to be ended at once.
  if (expiresAt <= nowMs) return expired();
  const rights = Object.hasOwn(claims, 'flipgate') ? parseRights(claims['flipgate']) : Rights.NONE;
  if (!(rights instanceof Rights))
    return invalid(
      'its claim "flipgate" must be an object of subscribe, publish, command, admin: lists of patterns',
    );
  return { id: `user:${sub}`, rights, expiresAt, isKnown: true };
}

/** Whatever it is that jose did not like, it is no reason to let somebody in. */
function refusalOf(error: unknown): Refusal {
  if (error instanceof errors.JWTExpired) return expired();
  return error instanceof errors.JWTClaimValidationFailed ? wrongClaim(error.claim) : unreadable();
}

function expired(): Refusal {
  return new Refusal('token_expired', 'the token has expired: come back with a fresh one');
}

function wrongClaim(claim: string): Refusal {
  return invalid(FAULTS.get(claim) ?? 'one of its claims is not what it must be');
}

function wrongAlgorithm(): Refusal {
  return invalid('it is signed with an algorithm that is not taken here');
}

function wrongSignature(): Refusal {
  return invalid('its signature is wrong');
}

function unreadable(): Refusal {
  return invalid('it is no signed JWT that can be read');
}

function invalid(fault: string): Refusal {
  return new Refusal('invalid_token', `the token is not taken: ${fault}`);
}
