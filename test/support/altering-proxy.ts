import net from 'node:net';

/** A TCP proxy that alters what clients send: once, at the first place where `what` is found within a chunk. */
export interface AlteringProxy {
  readonly port: number;
  /** What was found, once it was. */
  readonly found: () => string | undefined;
  close(): void;
}

/** Listens on a free port and passes everything on to `port`; `to` must give a text of the same length. */
export async function alteringProxy(
  port: number,
  what: RegExp,
  to: (found: string) => string,
): Promise<AlteringProxy> {
  const sockets = new Set<net.Socket>();
  let found: string | undefined;
  const server = net.createServer((client) => {
    const upstream = net.connect(port, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (chunk) => {
      const text = chunk.toString('latin1');
      const [first] = found === undefined ? (what.exec(text) ?? []) : [];
      if (first === undefined) upstream.write(chunk);
      else {
        found = first;
        upstream.write(Buffer.from(text.replace(first, to(first)), 'latin1'));
      }
    });
    upstream.on('data', (chunk) => {
      client.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    found: () => found,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
