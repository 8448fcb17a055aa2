import type { Namespace, Socket } from 'socket.io';
import type { Delivery } from '../../core/delivery/delivery.js';
import type { Session } from '../../core/delivery/session.js';
import { Refusal } from '../../core/errors.js';
import { isRoomName } from '../../core/event.js';

/** What a {@link RoomMirror} works with. */
export interface RoomMirrorParts {
  /** The namespace whose sockets are sessions. */
  readonly namespace: Namespace;
  readonly delivery: Delivery;
  /** The session of the socket with this id. */
  readonly sessionOf: (socketId: string) => Session | undefined;
}

/**
 * Keeps a session's rooms and those that Socket.IO has of its socket the same, so that operations by room, of any node or
 * backend, reach it, and what they change is changed here.
 */
export class RoomMirror {
  readonly #parts: RoomMirrorParts;

  constructor(parts: RoomMirrorParts) {
    this.#parts = parts;
    const { adapter } = parts.namespace;
    adapter.on('join-room', (room: string, id: string) => {
      this.#joined(room, id);
    });
    adapter.on('leave-room', (room: string, id: string) => {
      const session = parts.sessionOf(id);
      if (session?.rooms.has(room) === true) parts.delivery.placeIn(session, { join: [], leave: [room] });
    });
  }

  /** Socket.IO's rooms follow the session's. */
  show(socket: Socket): void {
    const session = this.#parts.sessionOf(socket.id);
    if (session === undefined) return;
    for (const room of socket.rooms) {
      if (isSessionRoom(room, socket.id) && !session.rooms.has(room)) void socket.leave(room);
    }
    void socket.join([...session.rooms.keys()]);
  }

  /** The session's rooms follow Socket.IO's, where an operation of some node changed those. */
  #joined(room: string, id: string): void {
    const { namespace, delivery, sessionOf } = this.#parts;
    const session = sessionOf(id);
    if (session === undefined || !isSessionRoom(room, id) || session.rooms.has(room)) return;
    const rooms = delivery.placeIn(session, { join: [room], leave: [] });
    // What is sent to the room must not reach who may not be in it.
    if (rooms instanceof Refusal) void namespace.sockets.get(id)?.leave(room);
  }
}

/** Whether a room of Socket.IO's is one that sessions have, too: it has such a name, and is not the socket itself. */
function isSessionRoom(room: unknown, socketId: string): boolean {
  return room !== socketId && isRoomName(room);
}
