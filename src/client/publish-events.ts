import type { GatewayError } from './gateway-error.js';
import { ask, errorOf, type TokenSource } from './http.js';
import { persist } from './persist.js';
import type { NewEvent } from './wire.js';

/** What a publication is told and works with. */
export interface Publication {
  /** The gateway's entrance for events at that time, such as `https://gateway.example/api/events`. */
  readonly url: () => string;
  readonly token: TokenSource | undefined;
  /** One event, or 1–1000. */
  readonly events: NewEvent | readonly NewEvent[];
}

/**
 * Publishes; resolves with the events' ids once the log has them. A publication has no key by which the gateway would know
 * it again, so it is tried again only where it is certain that nothing was stored: on 429, and on a 503 that is not
 * `outcome_unknown`. Rejects with a {@link GatewayError}; after that, or a lost connection (`unreachable`), the events may have
 * been stored.
 */
export function publishEvents({ url, token, events }: Publication): Promise<readonly string[]> {
  const once = async (timeoutMs: number): Promise<readonly string[]> => {
    const answer = await ask(url(), { body: events, token, timeoutMs });
    if (answer.status !== 202) throw errorOf(answer);
    return (answer.body as { readonly ids: readonly string[] }).ids;
  };
  return persist(once, isNothingStored);
}

/**
 * True for a refusal that says that nothing of a publication was stored, and that it may be tried again. Neither a
 * proxy's own 503 (`unreachable`) nor `outcome_unknown` does.
 */
export function isNothingStored({ code, status, retryable }: GatewayError): boolean {
  return (
    retryable && !['unreachable', 'outcome_unknown'].includes(code) && (status === 429 || status === 503)
  );
}
