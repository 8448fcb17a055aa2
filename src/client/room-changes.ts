import { type GatewayError, isPassing } from './gateway-error.js';
import { ask, errorOf, type TokenSource } from './http.js';
import { persist } from './persist.js';
import type { Stream } from './stream.js';
import type { LiveSession } from './stream-parts.js';

/** What a session may do with rooms. */
export type RoomChange = 'join' | 'leave';

const TIMEOUT_MS = 30_000;
/** How long an answer over a websocket is waited for, ms. */
const ACK_MS = 10_000;

/**
 * Has the session of a stream join rooms or leave them, over whichever wire it has: when it is live, and again where that
 * is lost meanwhile. Resolves with all its rooms. Rejects with the gateway's refusal, or when it has not been live for 30 s.
 */
export async function changeRooms(
  stream: Stream,
  change: RoomChange,
  rooms: readonly string[],
  token: TokenSource | undefined,
): Promise<readonly string[]> {
  const once = async (leftMs: number): Promise<readonly string[]> => {
    const session = await stream.live(leftMs);
    if (change === 'join') stream.joining(rooms);
    const now = await send(session, change, rooms, token);
    stream.roomsChanged(now);
    return now;
  };
  return await persist(once, mayRetry, { timeoutMs: TIMEOUT_MS, random: Math.random });
}

/** A session that is not known is one that was lost; the stream is about to have another. */
function mayRetry(error: GatewayError): boolean {
  return isPassing(error) || error.code === 'unknown_session';
}

async function send(
  { id, url, ask: askOverWire }: LiveSession,
  change: RoomChange,
  rooms: readonly string[],
  token: TokenSource | undefined,
): Promise<readonly string[]> {
  const answer =
    askOverWire === null
      ? await ask(`${url}/api/sessions/${id}/rooms`, { body: { [change]: rooms }, token })
      : { status: 0, body: await askOverWire(change, rooms, ACK_MS), retryAfter: null };
  const { rooms: now } = (answer.body ?? {}) as { readonly rooms?: readonly string[] };
  if (now === undefined) throw errorOf(answer);
  return now;
}
