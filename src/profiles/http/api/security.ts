import type { AdminRight } from '../../../core/auth/rights.js';
import { TOKEN_COOKIE } from '../credentials.js';
import type { Schema } from './schema.js';

/** What a caller must be allowed to do: one of the lists of rights, or, of `admin`, one of its entries. */
export type Right = 'subscribe' | 'publish' | 'command' | `admin: ${AdminRight}`;

/** Who is served. `known`: who can be told apart. `connected`: anybody, and who it is matters once it is connected. */
export type Access = Right | 'known' | 'connected' | 'public';

/** How a request brings its token or its API key. Sources: RFC 6750, section 2; what legacy pages do. */
export const SECURITY_SCHEMES: Readonly<Record<string, Schema>> = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description: '`Authorization: Bearer` with a JWT or an API key.',
  },
  apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'An API key.' },
  apiKeyQuery: { type: 'apiKey', in: 'query', name: 'apiKey', description: 'An API key.' },
  accessToken: {
    type: 'apiKey',
    in: 'query',
    name: 'access_token',
    description: 'A JWT or an API key, for those that can set no headers, as an `EventSource`.',
  },
  cookie: {
    type: 'apiKey',
    in: 'cookie',
    name: TOKEN_COOKIE,
    description:
      'A JWT or an API key. Counts in requests of pages of the own origin, or of one that is listed by name.',
  },
};

/** What it takes to be served: a token that has the right, or none, where everybody has it. */
export function securityOf(access: Access): readonly Schema[] {
  if (!isGuarded(access)) return [];
  const roles = access === 'known' ? [] : [access];
  return [{}, ...Object.keys(SECURITY_SCHEMES).map((scheme) => ({ [scheme]: roles }))];
}

/** Whether a request is looked at for who makes it. */
export function isGuarded(access: Access): access is Right | 'known' {
  return access !== 'public' && access !== 'connected';
}

/** The same in words. */
export function accessInWords(access: Access): string {
  if (access === 'public') return 'Open to everybody.';
  if (access === 'known') return 'Needs no right, but a token where nobody may come without.';
  if (access === 'connected') {
    return 'Needs the right `subscribe`, which is asked for as the client connects to the namespace.';
  }
  const [list = '', entry] = access.split(': ');
  return entry === undefined
    ? `Needs the right \`${list}\`.`
    : `Needs the right \`${list}\` with \`${entry}\`.`;
}
