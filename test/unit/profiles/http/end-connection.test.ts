import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { endConnection, GOODBYE_MS, isEnding } from '../../../../src/profiles/http/end-connection.js';

/** More than any system keeps for a connection whose client does not read. */
const MANY_BYTES = 32 * 1024 * 1024;

let server: net.Server;
let client: Socket;
let socket: Socket;

beforeEach(async () => {
  server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  client = net.connect((server.address() as AddressInfo).port, '127.0.0.1').pause();
  [socket] = (await once(server, 'connection')) as [Socket];
});

afterEach(() => {
  jest.useRealTimers();
  client.destroy();
  socket.destroy();
  server.close();
});

test('a client that reads late gets everything that was written, then the end', async () => {
  socket.write(Buffer.alloc(MANY_BYTES));
  expect(socket.writableLength).toBeGreaterThan(0);
  endConnection(socket);
  let bytes = 0;
  client.on('data', (data: Buffer) => {
    bytes += data.length;
  });
  await once(client.resume(), 'end');
  expect(bytes).toBe(MANY_BYTES);
});

test('a client that does not read is cut at the deadline, and not before', async () => {
  socket.write(Buffer.alloc(MANY_BYTES));
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate'] });
  endConnection(socket);
  jest.advanceTimersByTime(GOODBYE_MS - 1);
  expect(socket.destroyed).toBe(false);
  jest.advanceTimersByTime(1);
  expect(socket.destroyed).toBe(true);
  await once(socket, 'close');
});

test('a client that is to read something before the end is given the time, and not cut in it', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate'] });
  socket.write('the last');
  endConnection(socket, 200);
  endConnection(socket);
  expect([socket.writableEnded, isEnding(socket)]).toEqual([false, true]);
  jest.advanceTimersByTime(200);
  expect(socket.writableEnded).toBe(true);
  await once(socket, 'close');
  expect(jest.getTimerCount()).toBe(0);
});

test('no timer is left behind', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate'] });
  endConnection(socket);
  await once(socket, 'close');
  expect(jest.getTimerCount()).toBe(0);
  endConnection(socket);
  expect(jest.getTimerCount()).toBe(0);
});
