import { isJwksUrl } from '../auth/jwks-url.js';
import { isAllowedHost, isTrustedProxy } from './address.js';
import { isOrigin } from './origin.js';
import { choice, flag, list, path, seconds, text } from './variable.js';

/** Nothing of such a value is shown. */
const hidden = (): string => '***';

/** A URL without what may be a secret in it. */
function maskedUrl(value: string): string {
  if (!isJwksUrl(value)) return hidden();
  const { origin, pathname, search } = new URL(value);
  return `${origin}${pathname}${search === '' ? '' : `?${hidden()}`}`;
}

/** Variables of who is let in, and what they may do; keys are the names in the configuration. */
export const SECURITY_VARIABLES = {
  authMode: choice({
    env: 'AUTH_MODE',
    options: ['none', 'token'],
    default: 'none',
    doc: '`token`: clients show an API key or a JWT, which says what they may do. `none`: everybody may do everything, on a loopback address only.',
  }),
  allowInsecure: flag({
    env: 'ALLOW_INSECURE',
    default: false,
    doc: 'Allows a `HOST` that other machines reach, any `Host` header, and `CORS_ORIGINS=*`, although clients are not authenticated.',
  }),
  apiKeys: text({
    env: 'API_KEYS',
    default: undefined,
    accepts:
      'a JSON array of {"id", "key" or "sha256", "subscribe"?, "publish"?, "publishTypes"?, "command"?, "admin"?}, the last five lists of patterns',
    mask: hidden,
    check: () => true,
    doc: 'API keys and what each may do: rooms to subscribe and to publish to, types of events to publish (without the list: all), actions to ask for, and `status`, `metrics`, `flip` or `deny` to administer. In patterns `*` stands for anything.',
  }),
  apiKeysFile: path({
    env: 'API_KEYS_FILE',
    default: undefined,
    defaultText: 'none',
    doc: 'File with more API keys, in the same form as `API_KEYS`.',
  }),
  jwtSecret: text({
    env: 'JWT_SECRET',
    default: undefined,
    accepts: 'at least 32 characters',
    mask: hidden,
    check: (secret) => secret.length >= 32,
    doc: 'Secret with which JWTs are signed by HS256.',
  }),
  jwtSecretPrevious: text({
    env: 'JWT_SECRET_PREVIOUS',
    default: undefined,
    accepts: 'at least 32 characters, beside JWT_SECRET',
    mask: hidden,
    check: (secret) => secret.length >= 32,
    doc: 'A second secret of HS256, for a rotation: JWTs that it signed are taken, too.',
  }),
  jwtPublicKeyFile: path({
    env: 'JWT_PUBLIC_KEY_FILE',
    default: undefined,
    defaultText: 'none',
    doc: 'PEM file of the public key of JWTs signed by RS256, ES256 or EdDSA, or of several, one after the other.',
  }),
  jwtJwksUrl: text({
    env: 'JWT_JWKS_URL',
    default: undefined,
    accepts: 'an https URL, or an http one of this machine, without a user and password',
    mask: maskedUrl,
    check: isJwksUrl,
    doc: 'Where the public keys of JWTs are published, as a JSON Web Key Set. They may change while it runs.',
  }),
  jwtIssuer: text({
    env: 'JWT_ISSUER',
    default: undefined,
    defaultText: 'none: not looked at',
    accepts: 'text',
    check: () => true,
    doc: 'What `iss` of a JWT must be.',
  }),
  jwtAudience: text({
    env: 'JWT_AUDIENCE',
    default: undefined,
    defaultText: 'none: not looked at',
    accepts: 'text',
    check: () => true,
    doc: 'What `aud` of a JWT must be, or have in it.',
  }),
  jwtMaxLifetimeMs: seconds({
    env: 'JWT_MAX_LIFETIME',
    min: 0,
    max: 31_536_000,
    default: 0,
    doc: 'Longest lifetime of a JWT, from `iat` (without one: from now) to `exp`; longer ones are refused. 0 = no limit.',
  }),
  anonymousRights: text({
    env: 'ANONYMOUS_RIGHTS',
    default: undefined,
    defaultText: 'none: they are refused',
    accepts:
      'a JSON object {"subscribe"?, "publish"?, "publishTypes"?, "command"?, "admin"?} of lists of patterns',
    check: () => true,
    doc: 'With `AUTH_MODE=token`: what clients that show nothing may do.',
  }),
  corsOrigins: list({
    env: 'CORS_ORIGINS',
    default: [],
    defaultText: 'none: the same origin only',
    minItems: 0,
    accepts: 'origins separated by commas, as browsers send them (https://app.example, no path), or *',
    check: isOrigin,
    doc: 'Other origins whose pages may connect; `*` allows every one, and takes `AUTH_MODE=token`, without `ANONYMOUS_RIGHTS` beyond `subscribe`, or `ALLOW_INSECURE=true`.',
  }),
  allowedHosts: list({
    env: 'ALLOWED_HOSTS',
    default: [],
    defaultText: 'with `AUTH_MODE=none` the loopback names and `HOST`, else any',
    minItems: 0,
    accepts: 'host names and addresses separated by commas, without ports, or *',
    check: isAllowedHost,
    doc: '`Host` headers that are served; any other is refused, so that no web page can reach the gateway by a name of its own.',
  }),
  trustedProxies: list({
    env: 'TRUSTED_PROXIES',
    default: [],
    defaultText: 'none',
    minItems: 0,
    accepts: 'addresses, CIDR ranges, loopback or private, separated by commas',
    check: isTrustedProxy,
    doc: "Reverse proxies whose `X-Forwarded-For` is believed: the client's address is the last one in it that is none of theirs. Behind a proxy that is not listed, all clients share its address: one that guesses keys slows down all.",
  }),
  flipgateToken: text({
    env: 'FLIPGATE_TOKEN',
    default: undefined,
    accepts: 'a JWT or an API key',
    mask: hidden,
    check: () => true,
    doc: 'What `flipgate flip` and `flipgate validate` show a gateway. The gateway itself does not need it.',
  }),
} as const;
