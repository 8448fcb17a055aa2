import { createPublicKey, type KeyObject } from 'node:crypto';

/** Algorithms that JWTs may be signed with. Source: RFC 7518, section 3.1, and RFC 8037. */
export const JWT_ALGORITHMS = ['HS256', 'RS256', 'ES256', 'EdDSA'] as const;

/** An algorithm of {@link JWT_ALGORITHMS}. */
export type JwtAlgorithm = (typeof JWT_ALGORITHMS)[number];

/** What signatures are checked with, and the one algorithm it is good for. */
export interface VerificationKey {
  readonly alg: JwtAlgorithm;
  /** What a token calls it; undefined: it has no name. */
  readonly kid: string | undefined;
  readonly key: KeyObject | Uint8Array;
}

/** Fewest bytes of a secret: those of the hash. Source: RFC 7518, section 3.2. */
const MIN_SECRET_BYTES = 32;
/** Fewest bits of an RSA key. Source: RFC 7518, section 3.3. */
const MIN_RSA_BITS = 2048;

/** One block of PEM text. Source: RFC 7468, section 2. */
const PEM_BLOCK = /-----BEGIN [^-]+-----[^]*?-----END [^-]+-----/g;

/** The key for HS256 out of a secret; a fault, in words, when that is shorter than 32 bytes (in UTF-8). */
export function parseSecret(secret: string): VerificationKey | string {
  const key = new TextEncoder().encode(secret);
  if (key.length < MIN_SECRET_BYTES)
    return `a secret for HS256 must be at least ${String(MIN_SECRET_BYTES)} bytes long`;
  return { alg: 'HS256', kid: undefined, key };
}

/**
 * A public key out of PEM text. Its type says the algorithm: RSA of at least 2048 bits RS256, P-256 ES256, Ed25519 EdDSA.
 * A fault, in words, for anything else, and for private keys and certificates (nobody would check how long they are good).
 */
export function parsePublicKey(pem: string): VerificationKey | string {
  if (pem.includes('PRIVATE KEY-----')) return 'it is a private key: only the public one belongs here';
  if (!/-----BEGIN (RSA )?PUBLIC KEY-----/.test(pem))
    return 'it is no public key in PEM: -----BEGIN PUBLIC KEY-----';
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch {
    return 'it is no public key that can be read';
  }
  const alg = algorithmOf(key);
  if (alg === undefined) return 'it must be an RSA key of at least 2048 bits, a P-256 key, or an Ed25519 key';
  return { alg, kid: undefined, key };
}

/** The public keys of PEM text, one after the other, each as {@link parsePublicKey}; at least one. A fault, in words, else. */
export function parsePublicKeys(pem: string): readonly VerificationKey[] | string {
  const keys: VerificationKey[] = [];
  const blocks = pem.match(PEM_BLOCK) ?? [pem];
  for (const [index, block] of blocks.entries()) {
    const key = parsePublicKey(block);
    if (typeof key === 'string') return blocks.length === 1 ? key : `key ${String(index + 1)}: ${key}`;
    keys.push(key);
  }
  return keys;
}

/**
 * A public key of a JWKS, as {@link parsePublicKey} of PEM text; undefined when nothing that is taken here can be checked with
 * it: another type or algorithm, another use, a private or symmetric key, or none that can be read.
 */
export function parseJwk(json: unknown): VerificationKey | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  const { kty, n, e, crv, x, y, d, use, key_ops: uses, alg: givenAlg, kid } = json as Record<string, unknown>;
  if (kty === 'oct' || d !== undefined) return undefined;
  if (use !== undefined && use !== 'sig') return undefined;
  if (uses !== undefined && !(Array.isArray(uses) && uses.includes('verify'))) return undefined;
  if (kid !== undefined && typeof kid !== 'string') return undefined;
  let key: KeyObject;
  try {
    // What can't be read, whatever it is, throws.
    key = createPublicKey({ key: { kty, n, e, crv, x, y } as Record<string, string>, format: 'jwk' });
  } catch {
    return undefined;
  }
  const alg = algorithmOf(key);
  if (alg === undefined || (givenAlg !== undefined && givenAlg !== alg)) return undefined;
  return { alg, kid, key };
}

function algorithmOf(key: KeyObject): JwtAlgorithm | undefined {
  const details = key.asymmetricKeyDetails;
  if (key.asymmetricKeyType === 'rsa')
    return (details?.modulusLength ?? 0) >= MIN_RSA_BITS ? 'RS256' : undefined;
  if (key.asymmetricKeyType === 'ec') return details?.namedCurve === 'prime256v1' ? 'ES256' : undefined;
  return key.asymmetricKeyType === 'ed25519' ? 'EdDSA' : undefined;
}
