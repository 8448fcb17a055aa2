import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';

/** How long a client may take to read what was written to it before its connection is destroyed, ms. */
export const GOODBYE_MS = 5000;

const ENDING = new WeakSet<Duplex>();

/**
 * Ends a connection: everything that was written to it is sent, then it is closed. A client that stops reading keeps the
 * socket, and what waits in it, for {@link GOODBYE_MS} at most.
 * @param afterMs How long to wait before that, for clients that lose what arrives together with the end.
 */
export function endConnection(socket: Socket, afterMs = 0): void {
  if (socket.destroyed || ENDING.has(socket)) return;
  ENDING.add(socket);
  const end = afterMs === 0 ? undefined : setTimeout(() => socket.destroySoon(), afterMs);
  const deadline = setTimeout(() => socket.destroy(), afterMs + GOODBYE_MS);
  socket.once('close', () => {
    clearTimeout(end);
    clearTimeout(deadline);
  });
  if (end === undefined) socket.destroySoon();
}

/** Whether {@link endConnection} was called for it: it closes by itself. */
export function isEnding(socket: Duplex): boolean {
  return ENDING.has(socket);
}
