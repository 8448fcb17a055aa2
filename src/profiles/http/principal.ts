import type { IncomingMessage } from 'node:http';
import type { Principal } from '../../core/command.js';

/** The address a request comes from, as the socket has it. */
export function addressOf(req: IncomingMessage): string {
  return req.socket.remoteAddress ?? 'unknown';
}

/** Who a request comes from: without authentication, its address. */
export function principalOf(req: IncomingMessage): Principal {
  return { id: `address:${addressOf(req)}` };
}
