// Node's http, used well: one ready-made buffer, res.write for each.
import http from 'node:http';
import { serve, sseFrame } from './peer.mjs';

const streams = new Set();
const server = http.createServer((req, res) => {
  res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
  res.flushHeaders();
  streams.add(res);
  res.on('close', () => streams.delete(res));
});
serve(server, {
  clients: () => streams.size,
  broadcast: (payload) => {
    const frame = sseFrame(payload);
    for (const res of streams) res.write(frame);
  },
});
