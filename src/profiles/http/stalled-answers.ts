import type { Socket } from 'node:net';
import type { Counters } from '../../core/metrics/counters.js';

/** How long a client may take nothing of what it was written, ms. */
export const STALLED_MS = 10_000;

/** How far a client has come with what it was written. */
interface Progress {
  readonly takenBytes: number;
  /** When it was first seen there, ms. */
  readonly sinceMs: number;
}

/** Cuts the HTTP connections of clients that stop reading an answer, whatever is answered, and counts them. */
export class StalledAnswers {
  readonly #counters: Counters;
  readonly #stalledMs: number;
  readonly #connections = new Set<Socket>();
  readonly #unread = new Map<Socket, Progress>();

  constructor(counters: Counters, stalledMs = STALLED_MS) {
    this.#counters = counters;
    this.#stalledMs = stalledMs;
  }

  /** Watches a connection, until it is closed or left out. */
  watch(socket: Socket): void {
    this.#connections.add(socket);
  }

  /** Watches a connection no longer: it left HTTP. */
  leaveOut(socket: Socket): void {
    this.#connections.delete(socket);
    this.#unread.delete(socket);
  }

  /** Looks at all connections; to be called every few seconds. */
  look(nowMs: number): void {
    for (const socket of this.#connections) {
      if (socket.destroyed) this.leaveOut(socket);
      else if (socket.writableLength === 0) this.#unread.delete(socket);
      else this.#lookAt(socket, nowMs);
    }
  }

  #lookAt(socket: Socket, nowMs: number): void {
    const takenBytes = socket.bytesWritten - socket.writableLength;
    const before = this.#unread.get(socket);
    if (before?.takenBytes !== takenBytes) {
      this.#unread.set(socket, { takenBytes, sinceMs: nowMs });
    } else if (nowMs - before.sinceMs >= this.#stalledMs) {
      this.#counters.add('answers_cut');
      this.leaveOut(socket);
      socket.destroy();
    }
  }
}
