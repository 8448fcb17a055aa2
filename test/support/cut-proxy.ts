import net from 'node:net';

/** A TCP proxy between a client and a gateway, whose connections a test can cut. */
export interface CutProxy {
  readonly url: string;
  /** Breaks every connection, both ways, at once; new ones are taken as before. */
  cut(): void;
  close(): void;
}

/** Opens a proxy to a port of this machine. */
export async function openCutProxy(port: number): Promise<CutProxy> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((client) => {
    const gateway = net.connect(port, '127.0.0.1');
    for (const [one, other] of [
      [client, gateway],
      [gateway, client],
    ] as const) {
      sockets.add(one);
      one.setNoDelay(true);
      one.on('error', () => undefined);
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${String((server.address() as net.AddressInfo).port)}`,
    cut,
    close: () => {
      server.close();
      cut();
    },
  };
}
