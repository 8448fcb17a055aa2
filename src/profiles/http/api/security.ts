import type { Schema } from './schema.js';

/** What a caller must be allowed to do: one of the four lists of rights, or, of `admin`, one of its entries. */
export type Right = 'subscribe' | 'publish' | 'command' | 'admin: status' | 'admin: flip' | 'admin: metrics';

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
  cookie: { type: 'apiKey', in: 'cookie', name: 'flipgate_token', description: 'A JWT or an API key.' },
};

/** What it takes to be served: a token that has the right, or none, where everybody has it. */
export function securityOf(access: Right | 'public'): readonly Schema[] {
  if (access === 'public') return [];
  return [{}, ...Object.keys(SECURITY_SCHEMES).map((scheme) => ({ [scheme]: [access] }))];
}

/** The same in words. */
export function rightInWords(access: Right | 'public'): string {
  if (access === 'public') return 'Open to everybody.';
  const [list = '', entry] = access.split(': ');
  return entry === undefined
    ? `Needs the right \`${list}\`.`
    : `Needs the right \`${list}\` with \`${entry}\`.`;
}
