import type { RoomsAnswer, WireOptions, WireRecord } from './wire-client.js';

/** The address of a stream; the cursor goes where the caller puts it. */
export function streamUrl(url: string, { rooms }: WireOptions): URL {
  const address = new URL('/api/events/stream', url);
  if (rooms !== undefined) address.searchParams.set('rooms', rooms.join(','));
  return address;
}

/** Notes a message of a stream under its name. */
export function recordMessage(got: WireRecord, type: string, data: string, cursor: string | null): void {
  const content: unknown = JSON.parse(data);
  if (type === 'welcome') got.add({ kind: 'welcome', welcome: content as never });
  else if (type === 'gap') got.add({ kind: 'gap', gap: content as never });
  else if (type === 'draining' || type === 'profile_changed')
    got.add({ kind: 'notice', name: type, reason: (content as { reason: unknown }).reason });
  else got.add({ kind: 'events', events: content as never, cursor });
}

/** Changes the rooms of the stream that was welcomed last. */
export async function changeRooms(url: string, got: WireRecord, change: object): Promise<RoomsAnswer> {
  const id = got.welcomes.at(-1)?.sessionId ?? 'none';
  const response = await fetch(new URL(`/api/sessions/${id}/rooms`, url), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(change),
  });
  return (await response.json()) as RoomsAnswer;
}
