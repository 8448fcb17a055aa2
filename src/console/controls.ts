import { GatewayError } from '../client/index.js';
import { Fields } from './fields.js';
import type { Permissions } from './permissions.js';

/** The elements the host monitor is steered with. */
export interface ControlsParts {
  readonly start: HTMLButtonElement;
  readonly stop: HTMLButtonElement;
  readonly intervalForm: HTMLFormElement;
  /** ms. */
  readonly interval: HTMLInputElement;
  readonly apply: HTMLButtonElement;
  readonly state: HTMLElement;
  /** Says what a command did. */
  readonly outcome: HTMLElement;
  /** Says why a command was refused. */
  readonly error: HTMLElement;
}

/** Sends a command; resolves with its result, rejects with why there is none. */
export type SendCommand = (action: string, data?: object) => Promise<unknown>;

/** A status that was on its way when a command was answered may tell of the time before it; ms it has to arrive. */
const SETTLE_MS = 1500;

/**
 * Starts and stops the host monitor and sets its interval; shows whether it runs, whoever steered it. What it shows is
 * the answer of this node, never an event: other nodes' monitors publish events too.
 */
export class Controls {
  readonly #parts: ControlsParts;
  readonly #sendCommand: SendCommand;
  #isBusy = false;
  #isSettling = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: ControlsParts, sendCommand: SendCommand) {
    this.#parts = parts;
    this.#sendCommand = sendCommand;
    parts.start.addEventListener('click', () => {
      void this.#send('host-monitor.start');
    });
    parts.stop.addEventListener('click', () => {
      void this.#send('host-monitor.stop');
    });
    parts.intervalForm.addEventListener('submit', (event) => {
      event.preventDefault();
      const ms = parts.interval.valueAsNumber;
      if (Number.isFinite(ms)) void this.#send('host-monitor.interval', { ms });
    });
  }

  /** Leaves only those commands that may be sent; of the others it says why not. */
  allow(permissions: Permissions): void {
    const { start, stop, interval, apply } = this.#parts;
    for (const [action, ...controls] of [
      ['host-monitor.start', start],
      ['host-monitor.stop', stop],
      ['host-monitor.interval', interval, apply],
    ] as const) {
      const why = permissions.whyNot(action);
      for (const control of controls) {
        control.disabled = why !== '';
        control.title = why;
      }
    }
  }

  /** Takes `{running, intervalMs}` as the gateway's status tells it; one that may be out of date is passed over. */
  observe(monitor: Fields): void {
    if (!this.#isBusy && !this.#isSettling) this.#show(monitor);
  }

  async #send(action: string, data?: object): Promise<void> {
    const { error, outcome } = this.#parts;
    if (this.#isBusy) return;
    error.textContent = '';
    outcome.textContent = '';
    this.#setBusy(true);
    try {
      this.#show(new Fields(await this.#sendCommand(action, data)));
      outcome.textContent = 'Done.';
    } catch (thrown) {
      if (!(thrown instanceof GatewayError)) throw thrown;
      error.textContent = `${thrown.message}${describeRetry(thrown.retryAfterMs)}`;
    } finally {
      this.#setBusy(false);
      this.#settle();
    }
  }

  #settle(): void {
    clearTimeout(this.#timer);
    this.#isSettling = true;
    this.#timer = setTimeout(() => {
      this.#isSettling = false;
    }, SETTLE_MS);
  }

  #show(monitor: Fields): void {
    const { state, interval } = this.#parts;
    const running = monitor.flag('running');
    const intervalMs = monitor.number('intervalMs');
    if (running !== undefined) {
      state.textContent = running ? 'running' : 'stopped';
      state.dataset['value'] = running ? 'running' : 'stopped';
    }
    // What someone is typing, or has typed and not yet applied, is theirs.
    if (intervalMs !== undefined && interval.value === interval.defaultValue)
      interval.value = String(intervalMs);
    if (intervalMs !== undefined) interval.defaultValue = String(intervalMs);
  }

  #setBusy(isBusy: boolean): void {
    this.#isBusy = isBusy;
    const { start, stop } = this.#parts;
    for (const button of [start, stop]) button.setAttribute('aria-busy', String(isBusy));
  }
}

function describeRetry(retryAfterMs: number | null): string {
  if (retryAfterMs === null) return '';
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
  return ` Try again in ${String(seconds)} s.`;
}
