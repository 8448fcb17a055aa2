// SSE clients that note, of every event, how long it took from its id's time until it was read. Runs as a process of
// its own.
import net from 'node:net';
import process from 'node:process';

const ID = /"id":"((\d+)-\d+)"/g;
/** Characters of an id with its name, at most. */
const LONGEST_ID = 64;
let latencies = [];
let connected = 0;
let last = '';

process.on('message', ({ connect, take, tellLast }) => {
  if (connect !== undefined) {
    for (let index = 0; index < connect.count; index += 1) {
      const socket = net.connect(connect.port, '127.0.0.1', () => {
        socket.write('GET /api/events/stream HTTP/1.1\r\nHost: localhost\r\n\r\n');
        if (++connected === connect.count) process.send({ connected });
      });
      socket.on('error', () => undefined);
      let rest = '';
      socket.on('data', (data) => {
        const now = Date.now();
        const text = rest + data.toString('latin1');
        let readTo = text.length - LONGEST_ID;
        for (const match of text.matchAll(ID)) {
          latencies.push(now - Number(match[2]));
          last = match[1];
          readTo = Math.max(readTo, match.index + match[0].length);
        }
        // An id may come in two parts.
        rest = text.slice(Math.max(0, readTo));
      });
    }
  }
  if (take === true) {
    process.send({ latencies });
    latencies = [];
  }
  if (tellLast === true) process.send({ last });
});
process.on('disconnect', () => process.exit(0));
