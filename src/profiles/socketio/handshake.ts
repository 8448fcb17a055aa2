import type { Server as Engine, Socket as EngineSocket } from 'engine.io';
import type { Socket } from 'socket.io';
import { type ClientKind, clientKind } from '../../core/delivery/client-kind.js';
import { ERRORS, type Refusal } from '../../core/errors.js';
import { roomsOf } from './requests.js';

/** What a client asks for in its handshake. */
export interface Asked {
  readonly bundle: boolean;
  readonly client: ClientKind;
  /** Undefined: it names none. */
  readonly rooms: unknown;
  readonly cursor: string | null;
  /** Its other rooms come with its first join. */
  readonly isPartial: boolean;
  /** The transport of its last session, unchecked. */
  readonly from: unknown;
}

/** What a client asks for in its handshake. A legacy client asks for nothing. */
export function askedBy(socket: Socket): Asked {
  const auth: unknown = socket.handshake.auth;
  const { bundle, rooms, moreRooms, lastEventId } = (
    typeof auth === 'object' && auth !== null ? auth : {}
  ) as Record<string, unknown>;
  return {
    bundle: bundle === true,
    client: clientKind(socket.handshake.query['client'], bundle === true ? 'bundle' : 'stock'),
    rooms: rooms === undefined || rooms === null ? undefined : roomsOf(rooms),
    cursor: typeof lastEventId === 'string' && lastEventId !== '' ? lastEventId : null,
    isPartial: bundle === true && moreRooms === true,
    from: socket.handshake.query['from'],
  };
}

/** The engine's connection of this id, which the engine does not declare; undefined when there is none. */
export function connectionOf(engine: Engine, sid: string): EngineSocket | undefined {
  const { clients } = engine as unknown as { readonly clients: Readonly<Record<string, EngineSocket>> };
  return Object.hasOwn(clients, sid) ? clients[sid] : undefined;
}

/**
 * Whether a client that is refused in the namespace, after which a stock one does not try again, is to have its connection
 * closed instead, after which it does: it may be let in later, and its next handshake is told why. A handshake knows
 * nothing of rooms, so who asked for some is told of those in the namespace.
 */
export function isToTryAgain({ code }: Refusal, { bundle }: Asked): boolean {
  // With the same token it would be told the same.
  if (code === 'token_expired') return false;
  return ERRORS[code].disconnect === 'reconnect' && !(bundle && code === 'room_full');
}
