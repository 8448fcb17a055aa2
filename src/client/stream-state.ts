import { isBrowser } from './page-events.js';
import type { Transport } from './wire.js';

/**
 * How a stream is: on its way there for the first time, there, lost and on its way back, without a network, or ended:
 * by `close()`, or by a refusal that no later attempt can change.
 */
export type ClientState = 'connecting' | 'live' | 'reconnecting' | 'offline' | 'closed';

/** A state, and why. */
export interface StateChange {
  readonly state: ClientState;
  /** The transport in use, or tried; null while there is none. */
  readonly transport: Transport | null;
  /** The address it is at, or tries: of several, the one in turn. */
  readonly url: string;
  /** Why, for people; empty when there is nothing to say. */
  readonly reason: string;
  /** The code of the gateway's refusal, or of {@link GatewayError}; null when there was none. */
  readonly code: string | null;
  /** ms from the change until the next attempt; null when none is set. */
  readonly retryInMs: number | null;
}

/** The reason of a change while a request waits for the first byte of its answer: only browsers limit connections to an origin. */
export function noAnswer(): string {
  return isBrowser()
    ? 'no answer: other tabs may hold all six connections of HTTP/1.1; use shared: true, or HTTP/2'
    : 'no answer: the gateway, or a proxy before it, takes the request and sends nothing';
}
