import type { Socket as EngineSocket } from 'engine.io';

/** Not compressed: frames are shared by many sessions, and compression would be done for each. */
const OPTIONS = { compress: false } as const;

/**
 * Writes ready-made packets to one client's engine connection. It is writable while the engine's own buffer is
 * empty: then at most what one `deliver` brings waits there, behind what the transport has in hand.
 * Source: https://socket.io/docs/v4/engine-io-server/ (events `packetCreate` and `drain`).
 */
export class EngineWriter {
  readonly #conn: EngineSocket;
  #buffered = false;

  /** `onDrain` is called when it became writable again. */
  constructor(conn: EngineSocket, onDrain: () => void) {
    this.#conn = conn;
    conn.on('packetCreate', () => {
      this.#buffered = true;
    });
    conn.on('drain', () => {
      this.#buffered = false;
      onDrain();
    });
  }

  /** False while the connection holds bytes that its transport could not take. */
  get writable(): boolean {
    return !this.#buffered && this.#conn.readyState === 'open';
  }

  /** Sends packets, in order. */
  write(packets: readonly string[]): void {
    for (const packet of packets) this.#conn.send(packet, OPTIONS);
  }

  /**
   * Closes at the engine, which a stock client takes for a lost connection and comes back by itself; after
   * `socket.disconnect()` it would not. What a client does not take any more is thrown away.
   */
  close(): void {
    this.#conn.close(this.#buffered);
  }
}
