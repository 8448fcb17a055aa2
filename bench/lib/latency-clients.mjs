// SSE clients that note, of every event, how long it took from its id's time until it was read. Runs as a process of
// its own.
import net from 'node:net';
import process from 'node:process';

const ID = /"id":"(\d+)-/g;
let latencies = [];
let connected = 0;

process.on('message', ({ connect, take }) => {
  if (connect !== undefined) {
    for (let index = 0; index < connect.count; index += 1) {
      const socket = net.connect(connect.port, '127.0.0.1', () => {
        socket.write('GET /api/events/stream HTTP/1.1\r\nHost: localhost\r\n\r\n');
        if (++connected === connect.count) process.send({ connected });
      });
      socket.on('error', () => undefined);
      socket.on('data', (data) => {
        const now = Date.now();
        for (const match of data.toString('latin1').matchAll(ID)) latencies.push(now - Number(match[1]));
      });
    }
  }
  if (take === true) {
    process.send({ latencies });
    latencies = [];
  }
});
process.on('disconnect', () => process.exit(0));
