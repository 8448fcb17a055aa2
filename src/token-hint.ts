/** What a token must allow that flips. */
export const FLIP_RIGHT = 'the admin right "flip"';

const REMEDIES: Readonly<Record<string, string>> = {
  unauthenticated: 'Pass --token, or set FLIPGATE_TOKEN',
  invalid_token: 'Pass another --token, or set another FLIPGATE_TOKEN',
  token_expired: 'Pass a newer --token, or set a newer FLIPGATE_TOKEN',
  forbidden: 'Pass another --token, or set another FLIPGATE_TOKEN',
};

/**
 * What somebody at the command line does about a refusal with this code, to be put behind it; empty for a code that no other token
 * changes. `right` is what the token must allow, such as {@link FLIP_RIGHT}.
 */
export function tokenHint(code: string, right: string): string {
  const remedy = REMEDIES[code];
  return remedy === undefined ? '' : `. ${remedy}: a JWT or an API key with ${right}.`;
}
