// What most people write: Express, and JSON.stringify for each client.
import http from 'node:http';
import express from 'express';
import { serve } from './peer.mjs';

const streams = new Set();
const app = express();
app.get('/*path', (req, res) => {
  res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
  res.flushHeaders();
  streams.add(res);
  res.on('close', () => streams.delete(res));
});
serve(http.createServer(app), {
  clients: () => streams.size,
  broadcast: (payload) => {
    const event = JSON.parse(payload);
    for (const res of streams) {
      res.write('id: 1732219200123-0\n');
      res.write(`data: ${JSON.stringify([event])}\n\n`);
    }
  },
});
