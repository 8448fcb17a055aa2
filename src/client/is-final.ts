import type { TokenSource } from './http.js';

/** Codes with which a stream is refused for good. Source: core/errors.ts, `stay_away`. */
const STAY_AWAY = [
  'bad_request',
  'invalid_room',
  'too_many_rooms',
  'unauthenticated',
  'invalid_token',
  'forbidden',
  'principal_denied',
  'origin_not_allowed',
  'host_not_allowed',
];

/** True for what a stream would be told again with each attempt. A token that is always the same expires once. */
export function isFinal(code: string, token: TokenSource | undefined): boolean {
  return STAY_AWAY.includes(code) || (code === 'token_expired' && typeof token === 'string');
}
