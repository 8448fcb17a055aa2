import { ask, type TokenSource } from './http.js';
import { pause } from './persist.js';
import type { GatewayEvent } from './wire.js';

/** Most events of a history; more is no place to go on from. */
const LIMIT = 1000;
/** Between two questions, ms. */
const RETRY_MS = 1000;

/** Whom to ask how a room begins. */
export interface BeginningGateway {
  /** The gateway's address at that time. */
  readonly url: () => string;
  readonly token: TokenSource | undefined;
  /** The epoch of the stream's log, where it is known: values of another are not taken. */
  readonly epoch: () => string | undefined;
  /** False once nobody waits for the answer. */
  readonly isWanted: () => boolean;
}

/** How a room begins for a tab that comes to a stream which is under way. */
export interface RoomBeginning {
  readonly events: readonly GatewayEvent[];
  /** True when nothing after the tab's cursor is missing. */
  readonly isWhole: boolean;
}

/** The room's events, or its newest values; neither in an error. */
interface RoomAnswer {
  readonly events?: readonly GatewayEvent[];
  readonly whole?: boolean;
  /** True where more events follow; gateways before it was told gave as many as they were asked for. */
  readonly more?: boolean;
  readonly epoch?: string;
}

/**
 * Asks for a room's events after a cursor, or, without one or where those are not whole, for its newest values; until there
 * is an answer.
 */
export async function beginRoom(
  { url, token, epoch, isWanted }: BeginningGateway,
  room: string,
  cursor: string | null,
): Promise<RoomBeginning> {
  let hasHistory = cursor !== null;
  while (isWanted()) {
    const after = new URLSearchParams({ limit: String(LIMIT), after: cursor ?? '' }).toString();
    const path = hasHistory ? `events?${after}` : 'state';
    const answer = await ask(`${url()}/api/rooms/${room}/${path}`, { token }).catch(() => undefined);
    const { events, whole, more, epoch: given = epoch() } = (answer?.body ?? {}) as RoomAnswer;
    if (events === undefined || given !== (epoch() ?? given)) await pause(RETRY_MS);
    else if (!hasHistory) return { events, isWhole: cursor === null };
    else if (whole === true && !(more ?? events.length >= LIMIT)) return { events, isWhole: true };
    else hasHistory = false;
  }
  return { events: [], isWhole: true };
}
