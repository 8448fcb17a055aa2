import type { Clock } from '../../core/clock.js';
import type { Interruption } from './messages.js';

/** Watches one client's connections for how long events stay away when one ends and another begins. */
export class Handover {
  readonly #kind: Interruption['kind'];
  readonly #clock: Clock;
  readonly #tell: (interruption: Interruption) => void;
  #lastEventAt: number | undefined;
  /** When the connection ended, elapsed and epoch ms. */
  #ended: { readonly elapsed: number; readonly at: number } | undefined;
  #began: number | undefined;

  constructor(kind: Interruption['kind'], clock: Clock, tell: (interruption: Interruption) => void) {
    this.#kind = kind;
    this.#clock = clock;
    this.#tell = tell;
  }

  /** An event came. */
  event(): void {
    const now = this.#clock.elapsed();
    if (this.#ended !== undefined && this.#began !== undefined) {
      this.#tell({
        kind: this.#kind,
        at: this.#ended.at,
        eventsMs: now - (this.#lastEventAt ?? this.#ended.elapsed),
        awayMs: Math.max(0, this.#began - this.#ended.elapsed),
      });
      this.#ended = undefined;
      this.#began = undefined;
    }
    this.#lastEventAt = now;
  }

  /** The connection ended, or another takes its place. Told more than once, the first time counts. */
  ended(): void {
    this.#ended ??= { elapsed: this.#clock.elapsed(), at: this.#clock.now() };
  }

  /** A connection began. */
  began(): void {
    if (this.#ended !== undefined) this.#began = this.#clock.elapsed();
  }
}
