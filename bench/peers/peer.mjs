// What all peers share: they listen, say where, and broadcast when told over IPC.
import process from 'node:process';

/** Headers as a Node response has them. */
export const HEAD =
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';

/** One message of the payload, as every SSE peer sends it. */
export function sseFrame(payload) {
  return Buffer.from(`id: 1732219200123-0\ndata: [${payload}]\n\n`);
}

/** A chunk of the chunked transfer coding. */
export function chunked(bytes) {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}

/** Runs a peer: `clients()` says how many are there, `broadcast(payloadJson)` sends to all. */
export function serve(server, { clients, broadcast }) {
  process.on('message', (message) => {
    if (message.broadcast !== undefined) broadcast(message.broadcast);
    if (message.clients === true) process.send({ clients: clients() });
    if (message.gc === true) {
      globalThis.gc?.();
      process.send({ heap: process.memoryUsage().heapUsed });
    }
  });
  process.on('disconnect', () => process.exit(0));
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
    process.send({ port: server.address().port });
  });
}
