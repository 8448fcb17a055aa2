import { readFileSync } from 'node:fs';
import { parseApiKeys } from '../core/auth/api-keys.js';
import type { Authenticator } from '../core/auth/authenticator.js';
import { JwksSource } from '../core/auth/jwks.js';
import { JwtVerifier } from '../core/auth/jwt-verifier.js';
import { parseRights } from '../core/auth/rights.js';
import { TokenAuthenticator } from '../core/auth/token-authenticator.js';
import { type ConfigFault, ConfigFaults } from '../core/config/fault.js';
import type { Base } from './base.js';

/** Knows callers by API keys and JWTs. All faults of keys, files and rights at once; none of them shows a secret. */
export function openTokens(base: Base): Authenticator | ConfigFaults {
  const { config, clock, counters } = base;
  const faults: ConfigFault[] = [];
  const fault = (variable: string, remedies: readonly string[]): void => {
    for (const remedy of remedies) faults.push({ variable, value: '***', source: 'configuration', remedy });
  };
  const read = (variable: string, text: () => string): unknown => {
    try {
      return JSON.parse(text());
    } catch {
      // Why is not told: the parser quotes what it reads.
      fault(variable, ['must be JSON, and its file one that can be read']);
      return undefined;
    }
  };
  const { apiKeys: inline, apiKeysFile: file, anonymousRights: anonymous } = config;
  const lists = [
    inline === undefined ? [] : read('API_KEYS', () => inline),
    file === undefined ? [] : read('API_KEYS_FILE', () => readFileSync(file, 'utf8')),
  ];
  const keys = lists.every(Array.isArray) ? parseApiKeys(lists.flat()) : parseApiKeys(undefined);
  if (Array.isArray(keys) && faults.length === 0)
    fault(inline === undefined ? 'API_KEYS_FILE' : 'API_KEYS', keys);
  const anonymousRights =
    anonymous === undefined ? undefined : parseRights(read('ANONYMOUS_RIGHTS', () => anonymous) ?? {});
  if (Array.isArray(anonymousRights)) fault('ANONYMOUS_RIGHTS', anonymousRights);
  const jwt = openJwt(base);
  if (typeof jwt === 'string') fault('JWT_PUBLIC_KEY_FILE', [jwt]);
  if (Array.isArray(keys) || Array.isArray(anonymousRights) || typeof jwt === 'string' || faults.length > 0) {
    return new ConfigFaults(faults);
  }
  return new TokenAuthenticator({ keys, jwt, anonymousRights, clock, counters });
}

/** What checks JWTs; undefined where none are taken; in words, what is wrong with their key. */
function openJwt({ config, clock, logger, counters }: Base): JwtVerifier | undefined | string {
  const { jwtSecret: secret, jwtPublicKeyFile: file, jwtJwksUrl: url } = config;
  if (secret === undefined && file === undefined && url === undefined) return undefined;
  try {
    return new JwtVerifier({
      secret,
      publicKeyPem: file === undefined ? undefined : readFileSync(file, 'utf8'),
      jwks: url === undefined ? undefined : new JwksSource(url, { clock, logger, counters }),
      issuer: config.jwtIssuer,
      audience: config.jwtAudience,
      clock,
    });
  } catch (error) {
    return error instanceof Error ? error.message : 'the key can not be used';
  }
}
