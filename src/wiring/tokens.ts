import { readFileSync } from 'node:fs';
import { type ApiKeys, parseApiKeys } from '../core/auth/api-keys.js';
import { JwksSource } from '../core/auth/jwks.js';
import { JwtVerifier } from '../core/auth/jwt-verifier.js';
import { parseRights, Rights } from '../core/auth/rights.js';
import { TokenAuthenticator } from '../core/auth/token-authenticator.js';
import { parsePublicKeys, parseSecret } from '../core/auth/verification-key.js';
import { type ConfigFault, ConfigFaults } from '../core/config/fault.js';
import type { Config } from '../core/config/config.js';
import type { OpenedAuth } from './auth.js';
import type { Base } from './base.js';

/** Knows callers by API keys and JWTs. All faults of keys, files and rights at once; none of them shows a secret. */
export function openTokens(base: Base): OpenedAuth | ConfigFaults {
  const faults = new TokenFaults();
  const keys = readKeys(base.config, faults);
  const anonymousRights = readAnonymousRights(base, faults);
  const jwt = readJwt(base, faults);
  if (faults.found.length > 0) return new ConfigFaults(faults.found);
  const { clock, counters } = base;
  const authenticator = new TokenAuthenticator({ keys, jwt, anonymousRights, clock, counters });
  return { authenticator, takeKeys: (config) => takeKeys(authenticator, config) };
}

function takeKeys(authenticator: TokenAuthenticator, config: Config): ReadonlySet<string> | ConfigFaults {
  const faults = new TokenFaults();
  const keys = readKeys(config, faults);
  return faults.found.length > 0 ? new ConfigFaults(faults.found) : authenticator.takeKeys(keys);
}

/** What is wrong with secrets, none of which is shown. */
class TokenFaults {
  readonly found: ConfigFault[] = [];

  /** `file` is where it was read from; none of the variables' values is shown. */
  add(variable: string, remedy: string, file?: string): void {
    this.found.push({ variable, value: file ?? '***', source: file ?? 'configuration', remedy });
  }

  /** What `text` gives as JSON. Why it is none is not told: the parser quotes what it reads. */
  json(variable: string, text: () => string, file?: string): { readonly json: unknown } | undefined {
    try {
      return { json: JSON.parse(text()) as unknown };
    } catch {
      this.add(variable, 'must be JSON, and a file one that can be read', file);
      return undefined;
    }
  }
}

function readKeys({ apiKeys: inline, apiKeysFile: file }: Config, faults: TokenFaults): ApiKeys {
  const texts: readonly (readonly [string, (() => string) | undefined, string | undefined])[] = [
    ['API_KEYS', inline === undefined ? undefined : () => inline, undefined],
    ['API_KEYS_FILE', file === undefined ? undefined : () => readFileSync(file, 'utf8'), file],
  ];
  const all: unknown[] = [];
  for (const [variable, text, from] of texts) {
    const read = text === undefined ? undefined : faults.json(variable, text, from);
    if (read === undefined) continue;
    const keys = parseApiKeys(read.json);
    if (Array.isArray(keys)) for (const fault of keys) faults.add(variable, fault, from);
    else all.push(...(read.json as unknown[]));
  }
  const together = parseApiKeys(all);
  if (!Array.isArray(together)) return together;
  // Each by itself is good.
  for (const fault of together) faults.add('API_KEYS', `with those of API_KEYS_FILE after them: ${fault}`);
  return parseApiKeys([]) as ApiKeys;
}

function readAnonymousRights({ config }: Base, faults: TokenFaults): Rights | undefined {
  const { anonymousRights: text } = config;
  const read = text === undefined ? undefined : faults.json('ANONYMOUS_RIGHTS', () => text);
  if (read === undefined) return undefined;
  const rights = parseRights(read.json);
  if (rights instanceof Rights) {
    if (isOpenToPages(rights, config)) faults.add('ANONYMOUS_RIGHTS', OPEN_TO_PAGES);
    return rights;
  }
  for (const fault of rights) faults.add('ANONYMOUS_RIGHTS', fault);
  return undefined;
}

const OPEN_TO_PAGES =
  'may have no more than "subscribe" where CORS_ORIGINS is *: every web page that a user opens could do the rest without a key. List origins by name, or set ALLOW_INSECURE=true';

/** Whether web pages of every origin could change something without a key. */
function isOpenToPages(rights: Rights, { corsOrigins, allowInsecure }: Config): boolean {
  const { publish, command, admin } = rights.toJSON();
  return !allowInsecure && corsOrigins.includes('*') && publish.length + command.length + admin.length > 0;
}

/** What checks JWTs; undefined where none are taken. */
function readJwt({ config, clock, logger, counters }: Base, faults: TokenFaults): JwtVerifier | undefined {
  const { jwtSecret: secret, jwtSecretPrevious: previousSecret } = config;
  const { jwtPublicKeyFile: file, jwtJwksUrl: url } = config;
  if (secret === undefined && file === undefined && url === undefined) return undefined;
  const publicKeyPem = file === undefined ? undefined : readPublicKey(file, faults);
  checkSecret('JWT_SECRET', secret, faults);
  checkSecret('JWT_SECRET_PREVIOUS', previousSecret, faults);
  if (faults.found.length > 0) return undefined;
  const jwks = url === undefined ? undefined : new JwksSource(url, { clock, logger, counters });
  const { jwtIssuer: issuer, jwtAudience: audience, jwtMaxLifetimeMs: maxLifetimeMs } = config;
  const keys = { secret, previousSecret, publicKeyPem, jwks };
  return new JwtVerifier({ ...keys, issuer, audience, maxLifetimeMs, clock });
}

function checkSecret(variable: string, secret: string | undefined, faults: TokenFaults): void {
  const key = secret === undefined ? undefined : parseSecret(secret);
  if (typeof key === 'string') faults.add(variable, key);
}

function readPublicKey(file: string, faults: TokenFaults): string {
  let pem = '';
  try {
    pem = readFileSync(file, 'utf8');
  } catch {
    faults.add('JWT_PUBLIC_KEY_FILE', 'must be a file that can be read');
    return pem;
  }
  const keys = parsePublicKeys(pem);
  if (typeof keys === 'string') faults.add('JWT_PUBLIC_KEY_FILE', keys);
  return pem;
}
