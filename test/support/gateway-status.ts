import type { ClientsByTransport } from '../../src/core/delivery/client-tally.js';
import { formatCursor } from '../../src/core/log/cursor.js';
import { requestJson } from './json-request.js';
import { waitUntil } from './wait-until.js';

/** What `GET /api/admin/status` answers, as far as tests ask. */
export interface GatewayStatus {
  readonly sessions: { readonly websocket: number; readonly sse: number };
  readonly clients: ClientsByTransport;
  readonly rooms: Readonly<Record<string, number>>;
  readonly eventsHeld: number;
  readonly cursor: string;
  readonly counters: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** Asks the gateway at `url` for its status. */
export async function statusOf(url: string): Promise<GatewayStatus> {
  return (await requestJson('GET', `${url}/api/admin/status`)).json as GatewayStatus;
}

/** The count of `name` under `reason` so far; 0 when it never happened. */
export async function countOf(url: string, name: string, reason: string): Promise<number> {
  return (await statusOf(url)).counters[name]?.[reason] ?? 0;
}

/** Waits until the gateway has this many sessions, over both wires. */
export async function untilSessions(url: string, count: number, timeoutMs?: number): Promise<void> {
  await waitUntil(
    async () => {
      const { sse, websocket } = (await statusOf(url)).sessions;
      return sse + websocket === count;
    },
    `${String(count)} sessions`,
    timeoutMs,
  );
}

/** The cursor of an id of the log that a gateway has now, which asks for no authentication. */
export async function cursorOf(url: string, id: string | undefined): Promise<string> {
  const { json } = await requestJson('GET', `${url}/api/rooms/default/state`);
  return formatCursor(json.epoch, String(id));
}
