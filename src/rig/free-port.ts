import { createServer } from 'node:net';

/**
 * Where ports are taken from: below those that systems give to connections of their own, since a port must be free
 * again whenever what listened there comes back.
 */
const FROM = 15_000;
const TO = 30_000;
const ATTEMPTS = 50;

/** Ports of 127.0.0.1 on which nobody listens, all different. Rejects where there are none. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  for (let attempt = 0; ports.size < count; attempt += 1) {
    if (attempt === ATTEMPTS) throw new Error('there are no free ports on 127.0.0.1');
    const port = FROM + Math.floor(Math.random() * (TO - FROM));
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, '127.0.0.1', () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
