// Stock Socket.IO: one room, io.to(room).emit.
import http from 'node:http';
import { Server } from 'socket.io';
import { serve } from './peer.mjs';

const server = http.createServer();
const io = new Server(server, { transports: ['websocket'] });
io.on('connection', (socket) => socket.join('default'));
serve(server, {
  clients: () => io.of('/').sockets.size,
  broadcast: (payload) => io.local.to('default').emit('update', JSON.parse(payload)),
});
