import { type GatewayError, isPassing, unreachable } from './gateway-error.js';
import type { Emitter } from './emitter.js';
import { ask, errorOf, type TokenSource } from './http.js';
import { liveSession } from './live-session.js';
import { persist } from './persist.js';
import type { Stream } from './stream.js';
import type { LiveSession, StreamNews } from './stream-parts.js';

/** What a session may do with rooms. */
export type RoomChange = 'join' | 'leave';

/** How long an answer over a websocket is waited for, ms. */
const ACK_MS = 10_000;

/**
 * Has the session of a stream join rooms or leave them, over whichever wire it has: when it is live, and again where that
 * is lost meanwhile. Resolves with all its rooms. Rejects with the gateway's refusal, or when it has not been live for 30 s.
 */
export function changeRooms(
  stream: Stream,
  news: Emitter<StreamNews>,
  change: RoomChange,
  rooms: readonly string[],
  token: TokenSource | undefined,
): Promise<readonly string[]> {
  const once = async (leftMs: number): Promise<readonly string[]> => {
    const session = await liveSession(stream, news, leftMs);
    if (change === 'join') stream.place.joining(rooms);
    const now = await send(session, change, rooms, token);
    // What was told of a session that is gone says nothing of the one that has come.
    if (stream.session !== session) throw unreachable();
    stream.place.roomsChanged(now);
    return now;
  };
  return persist(once, mayRetry);
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
      : { status: 0, body: await askOverWire(change, rooms, ACK_MS) };
  const { rooms: now } = (answer.body ?? {}) as { readonly rooms?: readonly string[] };
  if (now === undefined) throw errorOf(answer);
  return now;
}
