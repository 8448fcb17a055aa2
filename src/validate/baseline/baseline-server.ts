import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import process from 'node:process';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Server } from 'socket.io';

/** An event as it is published. */
interface Published {
  readonly type: string;
  readonly room: string;
  readonly key?: string;
  readonly data: unknown;
}

/**
 * What a gateway is compared with: one emit for each event and room over stock Socket.IO, which writes it to each client by
 * itself, and one write for each event and client over Server-Sent Events. Events come in as they come to a gateway, by
 * `POST /api/events`. Runs as a process of its own.
 */
const streams = new Map<string, Set<ServerResponse>>();
const server = http.createServer((req, res) => {
  if (req.method === 'POST') void takeEvents(req, res);
  else openStream(req, res);
});
const io = new Server(server);
let lastId = 0;

io.on('connection', (socket) => {
  const { rooms } = socket.handshake.auth as { readonly rooms: string[] };
  void socket.join(rooms);
});

async function takeEvents(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const pieces: Buffer[] = [];
  for await (const piece of req) pieces.push(piece as Buffer);
  const events = JSON.parse(Buffer.concat(pieces).toString()) as readonly Published[];
  const ids: string[] = [];
  for (const event of events) {
    // Within one turn of the loop Node.js gathers what is written to a response.
    if (ids.length > 0) await nextTurn();
    ids.push(emit(event));
  }
  res.writeHead(202, { 'Content-Type': 'application/json' }).end(JSON.stringify({ ids }));
}

function emit({ type, room, key, data }: Published): string {
  lastId += 1;
  const id = `${String(Date.now())}-${String(lastId)}`;
  io.to(room).emit(type, data);
  const open = streams.get(room);
  if (open !== undefined && open.size > 0) {
    const message = `id: ${id}\ndata: ${JSON.stringify({ id, type, room, key, data })}\n\n`;
    for (const stream of open) stream.write(message);
  }
  return id;
}

function openStream(req: IncomingMessage, res: ServerResponse): void {
  const room = new URL(req.url ?? '', 'http://localhost').searchParams.get('rooms') ?? '';
  const open = streams.get(room) ?? new Set();
  streams.set(room, open.add(res));
  res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
  res.flushHeaders();
  res.on('close', () => open.delete(res));
}

process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuSeconds: (user + system) / 1e6 });
});
// Ctrl-C in a terminal reaches this process as well; who started it says when it is over.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit(0));
server.listen(0, '127.0.0.1');
await once(server, 'listening');
process.send?.({ port: (server.address() as AddressInfo).port });
