import type { IncomingMessage } from 'node:http';
import { parseCookie } from 'cookie';
import type { Credentials } from '../../core/auth/authenticator.js';
import { queryOf } from './reply.js';

/** The cookie a token may come in. */
export const TOKEN_COOKIE = 'flipgate_token';

const NO_QUERY = new URLSearchParams();

/** Most characters of any of these; a header may have more. */
const MAX_LENGTH = 8192;

/**
 * What a request shows of itself, strongest first: `Authorization: Bearer`, `?access_token=`, the cookie; as an API key alone
 * `X-API-Key`, `?apiKey=`. `takesCookie` says whether a cookie of this request counts.
 */
export function credentialsOf(req: IncomingMessage, takesCookie: boolean): Credentials {
  // Most requests have no query, and nothing is read out of it then.
  const query = req.url?.includes('?') === true ? queryOf(req) : NO_QUERY;
  return {
    token:
      bearer(req.headers.authorization) ??
      (query.get('access_token') || (takesCookie ? cookieOf(req) : undefined)),
    apiKey: one(req.headers['x-api-key']) ?? query.get('apiKey') ?? undefined,
  };
}

/** What a Socket.IO handshake shows in its `auth`; it counts before what its request shows. */
export function credentialsIn(auth: unknown, fromRequest: Credentials): Credentials {
  const { token, apiKey } = (typeof auth === 'object' && auth !== null ? auth : {}) as Record<
    string,
    unknown
  >;
  if (isShown(token)) return { token };
  if (isShown(apiKey)) return { apiKey };
  return fromRequest;
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

function cookieOf(req: IncomingMessage): string | undefined {
  const { cookie } = req.headers;
  return cookie === undefined || cookie.length > MAX_LENGTH ? undefined : parseCookie(cookie)[TOKEN_COOKIE];
}

function one(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
