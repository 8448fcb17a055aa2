import net from 'node:net';

/**
 * A TCP proxy before Redis, as a virtual address that moves at a failover: new connections go to the new target, those there
 * are stay where they are.
 */
export class SwitchingProxy {
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();
  /** The port of this machine that new connections go to. */
  target: number;

  private constructor(target: number) {
    this.target = target;
    this.#server = net.createServer((client) => {
      const redis = net.connect(this.target, '127.0.0.1');
      for (const [one, other] of [
        [client, redis],
        [redis, client],
      ] as const) {
        this.#sockets.add(one);
        one.setNoDelay(true);
        one.on('error', () => undefined);
        one.on('close', () => {
          this.#sockets.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
  }

  /** Opens a proxy. */
  static async open(target: number): Promise<SwitchingProxy> {
    const proxy = new SwitchingProxy(target);
    await new Promise<void>((resolve) => {
      proxy.#server.listen(0, '127.0.0.1', resolve);
    });
    return proxy;
  }

  /** Its URL, as one of Redis. */
  get url(): string {
    return `redis://127.0.0.1:${String((this.#server.address() as net.AddressInfo).port)}`;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
