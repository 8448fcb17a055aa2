// better-sse: sessions in a channel.
import http from 'node:http';
import { createChannel, createSession } from 'better-sse';
import { serve } from './peer.mjs';

const channel = createChannel();
const server = http.createServer(async (req, res) => {
  channel.register(await createSession(req, res));
});
serve(server, {
  clients: () => channel.sessionCount,
  broadcast: (payload) => channel.broadcast([JSON.parse(payload)], 'message'),
});
