import { get } from './http.js';
import type { ProfileDocument } from './wire.js';

/**
 * Asks the gateway at a url what it serves, as `client`; for a minute at most, since it is up to a stream for how long it
 * waits.
 */
export function fetchProfile(
  url: string,
  client: string | undefined,
  signal: AbortSignal | undefined,
): Promise<ProfileDocument> {
  const query = client === undefined ? '' : `?${new URLSearchParams({ client }).toString()}`;
  return get(`${url}/api/profile${query}`, { signal, timeoutMs: 60_000 });
}
