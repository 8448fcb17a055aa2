// The limit: one ready-made chunk written to each net socket.
import net from 'node:net';
import { chunked, HEAD, serve, sseFrame } from './peer.mjs';

const sockets = new Set();
const server = net.createServer((socket) => {
  socket.setNoDelay(true);
  socket.once('data', () => {
    socket.write(HEAD);
    sockets.add(socket);
  });
  socket.on('error', () => undefined);
  socket.on('close', () => sockets.delete(socket));
});
serve(server, {
  clients: () => sockets.size,
  broadcast: (payload) => {
    const chunk = chunked(sseFrame(payload));
    for (const socket of sockets) socket.write(chunk);
  },
});
