import { io as io4 } from 'socket.io-client';
import io2 from 'socket.io-client-v2';
import { io as io3 } from 'socket.io-client-v3';
import { waitUntil } from './wait-until.js';

/** Versions of the stock client that are in use. */
export type StockVersion = 2 | 3 | 4;

/** How a client gets through: one transport, or polling first and then websocket, as stock clients do. */
export type StockMode = 'websocket' | 'polling' | 'upgrade';

/** What the sockets of all versions have in common. */
interface StockSocket {
  readonly io: {
    readonly engine: { readonly transport: { readonly name: string }; readonly readyState: string };
  };
  on(name: string, listener: (...args: never[]) => void): unknown;
  emit(name: string | number, ...args: unknown[]): unknown;
  disconnect(): unknown;
  onAny?(listener: (name: string, ...args: unknown[]) => void): unknown;
  /** Versions before 3 have no `onAny`; every event passes here. */
  onevent?(packet: { data: [string, ...unknown[]] }): void;
}

const TRANSPORTS = {
  websocket: ['websocket'],
  polling: ['polling'],
  upgrade: ['polling', 'websocket'],
} as const;

/** A page that knows nothing of flipgate: the stock client with its defaults, in one of its versions. */
export class StockClient {
  /** Every event it got, with its arguments. */
  readonly events: { readonly name: string; readonly args: readonly unknown[] }[] = [];
  readonly disconnects: string[] = [];
  readonly errors: unknown[] = [];
  connects = 0;
  /** How it was told to connect. */
  readonly mode: StockMode;
  readonly #socket: StockSocket;

  constructor(version: StockVersion, url: string, mode: StockMode, options: object = {}) {
    this.mode = mode;
    const io: (url: string, options: object) => unknown = { 2: io2, 3: io3, 4: io4 }[version];
    this.#socket = io(url, { transports: [...TRANSPORTS[mode]], forceNew: true, ...options }) as StockSocket;
    const note = (name: string, ...args: unknown[]): void => void this.events.push({ name, args });
    if (this.#socket.onAny === undefined) {
      const onevent = this.#socket.onevent?.bind(this.#socket);
      this.#socket.onevent = (packet) => {
        note(...packet.data);
        onevent?.(packet);
      };
    } else {
      this.#socket.onAny(note);
    }
    this.#socket.on('connect', () => {
      this.connects += 1;
    });
    this.#socket.on('disconnect', (reason: string) => this.disconnects.push(reason));
    this.#socket.on('connect_error', (error: unknown) => this.errors.push(error));
    // Version 2 calls a refusal of the namespace so.
    this.#socket.on('error', (error: unknown) => this.errors.push(error));
  }

  /** The transport it uses now. */
  get transport(): string {
    return this.#socket.io.engine.transport.name;
  }

  /** The first argument of every event of this name. */
  dataOf(name: string): readonly unknown[] {
    return this.events.filter((event) => event.name === name).map(({ args }) => args[0]);
  }

  emit(name: string | number, ...args: unknown[]): void {
    this.#socket.emit(name, ...args);
  }

  /** Emits and waits for the ack. */
  ask(name: string | number, ...args: unknown[]): Promise<Record<string, unknown>> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no ack for ${String(name).slice(0, 100)}`)), 10_000);
      this.#socket.emit(name, ...args, (answer: Record<string, unknown>) => {
        clearTimeout(late);
        resolve(answer);
      });
    });
  }

  /** Resolves once nothing of the connection is left: polling says goodbye with a request. */
  async close(): Promise<void> {
    this.#socket.disconnect();
    await waitUntil(() => this.#socket.io.engine.readyState === 'closed', 'the client to close');
  }
}
