import { RawClient, type RawOptions, type RawWire } from './raw-client.js';
import { waitUntil } from './wait-until.js';

/** Many raw clients that do the same. */
export class RawCrowd {
  readonly clients: readonly RawClient[];

  private constructor(clients: readonly RawClient[]) {
    this.clients = clients;
  }

  /** Connects so many at once, and waits until each is a session. `optionsOf` tells what the nth asks for. */
  static async open(
    port: number,
    wires: readonly RawWire[],
    count: number,
    optionsOf: (index: number) => RawOptions,
  ): Promise<RawCrowd> {
    const clients = Array.from({ length: count }, (_, index) => {
      const wire = wires[index % wires.length] ?? 'sse';
      return new RawClient(port, wire, optionsOf(index));
    });
    const crowd = new RawCrowd(clients);
    await crowd.until(({ isOpen, isClosed, failure }) => {
      // As where this machine lets a process open too few sockets (ulimit -n).
      if (isClosed && !isOpen) throw new Error('a client of a crowd was not let in', { cause: failure });
      return isOpen;
    }, 'to be welcomed');
    return crowd;
  }

  /** Waits until it is so for every one of them. */
  async until(condition: (client: RawClient, index: number) => boolean, what: string): Promise<void> {
    // Those for whom it was so before are not looked at again.
    let reached = 0;
    await waitUntil(
      () => {
        for (let client = this.clients[reached]; client !== undefined; client = this.clients[reached]) {
          if (!condition(client, reached)) return false;
          reached += 1;
        }
        return true;
      },
      `${String(this.clients.length)} clients ${what}`,
      25_000,
    );
  }

  /** All go at once, without a word. */
  leave(): void {
    for (const client of this.clients) client.leave();
  }
}
