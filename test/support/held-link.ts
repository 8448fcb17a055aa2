import net from 'node:net';

/** A TCP proxy whose answers, from the server to its clients, a test can hold back, pass on, and read; requests, too. */
export interface HeldLink {
  readonly port: number;
  /** All that was passed on to clients, as text. */
  passed(): string;
  /** From now on answers are kept back. */
  hold(): void;
  /**
   * Reads of a stream are kept back once the text came in an answer, which is passed on, as is all that is not such a read: the
   * gateway takes in what it has, and nothing more. Resolves when it was.
   */
  holdAfter(text: string): Promise<void>;
  /** Passes on what was kept back, and all that follows. */
  release(): void;
  /** Breaks all connections right after the end of the block of an event stream in which the text comes. */
  cutAfterBlockWith(text: string): void;
  close(): void;
}

/** Opens a proxy to a port of this machine. */
export async function openHeldLink(serverPort: number): Promise<HeldLink> {
  const sockets = new Set<net.Socket>();
  let passed = '';
  let isHeld = false;
  let readsNothing = false;
  const kept: (() => void)[] = [];
  let last: { readonly text: string; readonly came: () => void } | undefined;
  let cutAt: string | undefined;
  /** Since {@link HeldLink.cutAfterBlockWith}. */
  let block = '';

  const pass = (client: net.Socket, chunk: Buffer): void => {
    let part = chunk;
    if (cutAt !== undefined) {
      const before = block.length;
      block += chunk.toString('latin1');
      const found = block.indexOf(cutAt);
      const end = found < 0 ? -1 : block.indexOf('\n\n', found);
      if (end >= 0) part = chunk.subarray(0, end + 2 - before);
    }
    passed += part.toString('latin1');
    client.write(part);
    if (part === chunk) return;
    cutAt = undefined;
    // What was written is sent before the end.
    client.destroySoon();
  };
  const server = net.createServer((client) => {
    const upstream = net.connect(serverPort, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    // Requests of a connection stay in order: what follows a read that is kept back is kept back, too.
    let waits = false;
    client.on('data', (chunk: Buffer) => {
      waits = readsNothing && (waits || chunk.includes('xread'));
      if (waits) kept.push(() => upstream.write(chunk));
      else upstream.write(chunk);
    });
    upstream.on('data', (chunk: Buffer) => {
      if (client.destroyed || client.writableEnded) return;
      if (isHeld) {
        kept.push(() => {
          pass(client, chunk);
        });
        return;
      }
      pass(client, chunk);
      if (last === undefined || !chunk.includes(last.text)) return;
      readsNothing = true;
      last.came();
      last = undefined;
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as net.AddressInfo).port,
    passed: () => passed,
    hold: () => {
      isHeld = true;
    },
    holdAfter: (text) =>
      new Promise((resolve) => {
        last = { text, came: resolve };
      }),
    release: () => {
      isHeld = false;
      readsNothing = false;
      for (const passOn of kept.splice(0)) passOn();
    },
    cutAfterBlockWith: (text) => {
      cutAt = text;
      block = '';
    },
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
