import type { ProfileName } from '../core/config/profile.js';

/**
 * Who is connected: stock Socket.IO clients, which get each event by itself; clients of the SDK that get bundles over
 * Socket.IO; clients of the SDK that get them over Server-Sent Events.
 */
export type ClientKind = 'legacy' | 'bundle' | 'sse';

/** All kinds, in the order in which they are told of. */
export const CLIENT_KINDS: readonly ClientKind[] = ['legacy', 'bundle', 'sse'];

/** What people call them. */
export const KIND_NAMES: Readonly<Record<ClientKind, string>> = {
  legacy: 'legacy clients',
  bundle: 'bundle clients',
  sse: 'SSE clients',
};

/** Which transports are on. */
export interface ServedTransports {
  readonly websocket: boolean;
  readonly sse: boolean;
}

/** Who can be served over these transports. */
export function kindsOver({ websocket, sse }: ServedTransports): readonly ClientKind[] {
  return CLIENT_KINDS.filter((kind) => (kind === 'sse' ? sse : websocket));
}

/** Who can be served under a profile, where no part of it is overridden. */
export function kindsUnder(profile: ProfileName): readonly ClientKind[] {
  return kindsOver({ websocket: profile !== 'SSE', sse: profile !== 'WEBSOCKET' });
}

/** So many clients, shared evenly by the kinds; the first ones have one more where that does not come out. */
export function sharedBy(kinds: readonly ClientKind[], clients: number): Record<ClientKind, number> {
  const shares = { legacy: 0, bundle: 0, sse: 0 };
  for (const [index, kind] of kinds.entries()) {
    shares[kind] = Math.floor(clients / kinds.length) + (index < clients % kinds.length ? 1 : 0);
  }
  return shares;
}
