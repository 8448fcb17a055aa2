import { NAME_QUERY } from './client-name.js';
import { get } from './http.js';
import type { ProfileDocument } from './wire.js';

/** Asks the gateway at a url what it serves; for a minute at most, since it is up to a stream for how long it waits. */
export function fetchProfile(url: string, signal: AbortSignal | undefined): Promise<ProfileDocument> {
  return get(`${url}/api/profile${NAME_QUERY}`, { signal, timeoutMs: 60_000 });
}
