import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A real HTTP server that hands out a JWKS, or whatever a test has it answer instead. */
export class KeyServer {
  /** How often it was asked. */
  requests = 0;
  /** How many answers were cut short by who asked. */
  cut = 0;
  /** What it does with a request. */
  answer: (response: ServerResponse) => void = (response) => response.writeHead(404).end();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((_request, response) => {
      this.requests += 1;
      response.on('close', () => {
        if (!response.writableFinished) this.cut += 1;
      });
      this.answer(response);
    });
  }

  /** Opens one on a free port of this machine. */
  static async open(): Promise<KeyServer> {
    const server = new KeyServer();
    await new Promise<void>((resolve) => {
      server.#server.listen(0, '127.0.0.1', resolve);
    });
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}/jwks.json`;
  }

  /** From now on answers with a JWKS of these keys. */
  serve(keys: readonly unknown[]): void {
    this.say(JSON.stringify({ keys }));
  }

  /** From now on answers with this text. */
  say(text: string, status = 200): void {
    this.answer = (response) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(text);
    };
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }
}
