import net from 'node:net';

/** A TCP proxy between a client and a gateway, whose connections a test can cut. */
export interface CutProxy {
  readonly url: string;
  readonly port: number;
  /** Breaks every connection, both ways, at once; new ones are taken as before. */
  cut(): void;
  /**
   * From now on no byte passes and no end either, as when a peer vanishes: what is sent is taken by this machine's
   * buffers, as long as they last. New connections are taken as before.
   */
  freeze(): void;
  close(): void;
}

/** Opens a proxy to a port of this machine. */
export async function openCutProxy(gatewayPort: number): Promise<CutProxy> {
  const sockets = new Set<net.Socket>();
  const frozen = new Set<net.Socket>();
  const server = net.createServer((client) => {
    const gateway = net.connect(gatewayPort, '127.0.0.1');
    for (const [one, other] of [
      [client, gateway],
      [gateway, client],
    ] as const) {
      sockets.add(one);
      one.setNoDelay(true);
      one.on('error', () => undefined);
      one.on('close', () => {
        sockets.delete(one);
        if (!frozen.has(one)) other.destroy();
      });
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as net.AddressInfo;
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const freeze = (): void => {
    for (const socket of sockets) {
      frozen.add(socket);
      socket.unpipe();
      socket.pause();
    }
  };
  return {
    freeze,
    port,
    url: `http://127.0.0.1:${String(port)}`,
    cut,
    close: () => {
      server.close();
      cut();
    },
  };
}
