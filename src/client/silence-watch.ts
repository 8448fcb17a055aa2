/** How often it looks at the clock, ms. */
const LOOK_MS = 1000;
/** No look for so long means that the machine slept, ms. */
const SLEPT_MS = 10_000;
/** How long it may take until a connection is live, whatever comes before its welcome, ms; … */
const PATIENCE_MS = 15_000;
/** … for how long it is unremarkable that nothing came at all. */
const HINT_MS = 5000;
/** How long one that is live may be silent: so many heartbeats, and at least so many ms. */
const HEARTBEATS = 2.5;
const MIN_LIMIT_MS = 3000;

/**
 * What a {@link SilenceWatch} tells: nothing at all came for 5 s (`unanswered`), the connection was silent for longer than it
 * may be (`silent`), the machine has slept (`woke`).
 */
export type Silence = 'unanswered' | 'silent' | 'woke';

/** Watches over the silence of one connection after another. The clock tells it: timers stand still while a machine sleeps. */
export class SilenceWatch {
  readonly #tell: (what: Silence) => void;
  readonly #timer: ReturnType<typeof setInterval>;
  #isOn = false;
  #heardAt = Date.now();
  #lookedAt = Date.now();
  #hasAnswered = false;
  #isLive = false;
  #limitMs = PATIENCE_MS;

  constructor(tell: (what: Silence) => void) {
    this.#tell = tell;
    this.#timer = setInterval(() => {
      this.#look();
    }, LOOK_MS);
  }

  /** A request was sent, of which nothing came yet. */
  begin(): void {
    this.#isOn = true;
    this.#hasAnswered = this.#isLive = false;
    this.#heardAt = Date.now();
    this.#limitMs = PATIENCE_MS;
  }

  /** False while nothing came. */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  heard(): void {
    this.#hasAnswered = true;
    if (this.#isLive) this.#heardAt = Date.now();
  }

  /** The connection is live; its gateway is never silent for longer than `heartbeatMs`. */
  welcomed(heartbeatMs: number): void {
    this.#isLive = true;
    this.heard();
    this.#limitMs = Math.max(MIN_LIMIT_MS, HEARTBEATS * heartbeatMs);
  }

  /** There is no connection for now. */
  rest(): void {
    this.#isOn = false;
  }

  /** True when the present connection or attempt is silent for so long that one who comes back need not wait for it. */
  get isStale(): boolean {
    return !this.#isOn || Date.now() - this.#heardAt > (this.#isLive ? this.#limitMs : HINT_MS);
  }

  /** Ends it. */
  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = Date.now();
    const sinceMs = now - this.#lookedAt;
    this.#lookedAt = now;
    // The clock was put back.
    if (sinceMs < 0) this.#heardAt = now;
    if (sinceMs > SLEPT_MS) return this.#tell('woke');
    if (!this.#isOn) return;
    const silentMs = now - this.#heardAt;
    if (silentMs > this.#limitMs) this.#tell('silent');
    else if (!this.#hasAnswered && silentMs >= HINT_MS) this.#tell('unanswered');
  }
}
