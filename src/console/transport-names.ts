import type { Transport } from '../client/index.js';

export type { Transport };

/** What a transport is called on the page. */
export const TRANSPORT_NAMES: Readonly<Record<Transport, string>> = { sse: 'SSE', websocket: 'Socket.IO' };
