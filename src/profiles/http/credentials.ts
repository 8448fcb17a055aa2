import type { IncomingMessage } from 'node:http';
import { parseCookie } from 'cookie';
import type { Credentials } from '../../core/auth/authenticator.js';
import { queryOf } from './reply.js';

/** The cookie a token may come in. */
export const TOKEN_COOKIE = 'flipgate_token';

/** Most characters of any of these; a header may have more. */
const MAX_LENGTH = 8192;

/**
 * What a request shows of itself, strongest first: `Authorization: Bearer`, `?access_token=`, the cookie; as an API key alone
 * `X-API-Key`, `?apiKey=`.
 */
export function credentialsOf(req: IncomingMessage): Credentials {
  const query = queryOf(req);
  return {
    token: bearer(req.headers.authorization) ?? (query.get('access_token') || cookieOf(req)),
    apiKey: one(req.headers['x-api-key']) ?? query.get('apiKey') ?? undefined,
  };
}

/** What a Socket.IO handshake shows in its `auth`; it counts before what its request shows. */
export function credentialsIn(auth: unknown, req: IncomingMessage): Credentials {
  const { token, apiKey } = (typeof auth === 'object' && auth !== null ? auth : {}) as Record<
    string,
    unknown
  >;
  if (isShown(token)) return { token };
  if (isShown(apiKey)) return { apiKey };
  return credentialsOf(req);
}

/**
 * A command's data and the API key that legacy pages put into it, as `apiKey`: apart, since what carries commands on is no
 * place for keys.
 */
export function takeApiKey(data: unknown): { readonly apiKey: unknown; readonly rest: unknown } {
  const hasKey =
    typeof data === 'object' && data !== null && !Array.isArray(data) && Object.hasOwn(data, 'apiKey');
  if (!hasKey) return { apiKey: undefined, rest: data };
  const { apiKey, ...rest } = data as Record<string, unknown>;
  return { apiKey, rest };
}

function isShown(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function bearer(header: string | undefined): string | undefined {
  return /^bearer +(\S.*)$/i.exec(header ?? '')?.[1]?.trim();
}

/**
 * A cookie comes with whatever request a browser makes, so of one that a page of another site has it make without saying so
 * (an image, a link) it does not count. Those that say so are refused by their origin. Source: W3C Fetch Metadata.
 */
function cookieOf(req: IncomingMessage): string | undefined {
  const { cookie, origin } = req.headers;
  if (cookie === undefined || cookie.length > MAX_LENGTH) return undefined;
  if (origin === undefined && req.headers['sec-fetch-site'] === 'cross-site') return undefined;
  return parseCookie(cookie)[TOKEN_COOKIE];
}

function one(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
