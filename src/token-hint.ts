/** The right a token needs to flip. */
export const FLIP_RIGHT = 'the admin right "flip"';

const REMEDIES: Readonly<Record<string, string>> = {
  unauthenticated: 'Pass --token, or set FLIPGATE_TOKEN',
  invalid_token: 'Pass another --token, or set another FLIPGATE_TOKEN',
  token_expired: 'Pass a newer --token, or set a newer FLIPGATE_TOKEN',
  forbidden: 'Pass another --token, or set another FLIPGATE_TOKEN',
  principal_denied: 'Pass another --token, or set another FLIPGATE_TOKEN',
};

/**
 * The hint for the command line that is put behind a refusal with this code; empty for a code that no other token
 * changes. `right` is what the token must allow, such as {@link FLIP_RIGHT}.
 */
export function tokenHint(code: string, right: string): string {
  const remedy = REMEDIES[code];
  return remedy === undefined ? '' : `. ${remedy}: a JWT or an API key with ${right}.`;
}
