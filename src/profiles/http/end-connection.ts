import type { Socket } from 'node:net';

/** How long a client may take to read what was written to it before its connection is destroyed, ms. */
export const GOODBYE_MS = 5000;

/**
 * Ends a connection: everything that was written to it is sent, then it is closed. A client that stops reading keeps the
 * socket, and what waits in it, for {@link GOODBYE_MS} at most.
 */
export function endConnection(socket: Socket): void {
  if (socket.destroyed) return;
  const deadline = setTimeout(() => {
    socket.destroy();
  }, GOODBYE_MS);
  socket.once('close', () => {
    clearTimeout(deadline);
  });
  socket.destroySoon();
}
