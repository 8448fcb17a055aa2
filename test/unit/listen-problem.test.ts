import { createServer } from 'node:net';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { whyNotListening } from '../../src/listen-problem.js';

/** What listening there ends with. */
async function errorOf(host: string, port: number): Promise<unknown> {
  const server = createServer();
  server.listen(port, host);
  const error = await Promise.race([once(server, 'error'), once(server, 'listening')]);
  server.close();
  return error[0];
}

test('a port that is in use', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const error = await errorOf('127.0.0.1', port);
  server.close();
  expect(whyNotListening(error, { host: '127.0.0.1', port })).toBe(
    `Port ${String(port)} on 127.0.0.1 is in use (EADDRINUSE): another program listens there. Set PORT to a free port, or stop the other program.`,
  );
});

test('an address that this machine does not have', async () => {
  const at = { host: '192.0.2.1', port: 0 };
  expect(whyNotListening(await errorOf(at.host, at.port), at)).toMatch(
    /^HOST 192\.0\.2\.1 is no address of this machine\. Set HOST/,
  );
});

test('a name that is not found', async () => {
  const at = { host: 'nowhere.invalid', port: 0 };
  expect(whyNotListening(await errorOf(at.host, at.port), at)).toMatch(
    /^HOST nowhere\.invalid (is not found|could not be looked up).*Set HOST/,
  );
});

test.each([
  ['EACCES', /not allowed to this user \(EACCES\).*Set PORT to 1024 or more/],
  ['EPERM', /not allowed to this process \(EPERM\)/],
  ['EAFNOSUPPORT', /Set HOST to an IPv4 address/],
  ['EINVAL', /is no address of this machine/],
])('%s', (code, text) => {
  const error = Object.assign(new Error(code), { code, syscall: 'listen' });
  const why = whyNotListening(error, { host: '::1', port: 80 });
  expect(why).toMatch(text);
  expect(why).not.toContain('\n');
});

test.each([
  ['of a connection', { code: 'EADDRNOTAVAIL', syscall: 'connect' }],
  ['of another kind', { code: 'EMFILE', syscall: 'listen' }],
  ['without a code', {}],
])('an error %s is not explained, so that its stack is shown', (_, properties) => {
  expect(whyNotListening(Object.assign(new Error('x'), properties), { host: 'h', port: 1 })).toBeUndefined();
});
