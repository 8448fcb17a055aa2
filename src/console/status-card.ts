import { EventRate } from './event-rate.js';
import { Fields } from './fields.js';
import { formatDuration, formatNumber, UNKNOWN } from './quantity.js';
import { SparkLine } from './spark-line.js';

/** The elements the gateway's status lives in. */
export interface StatusCardParts {
  readonly websocketSessions: HTMLElement;
  readonly sseSessions: HTMLElement;
  readonly rate: HTMLElement;
  readonly rateLine: HTMLElement;
  readonly uptime: HTMLElement;
  readonly log: HTMLElement;
  /** Events in this node's memory. */
  readonly held: HTMLElement;
  /** ms for which a flush gathers events now. */
  readonly window: HTMLElement;
  /** A list of names and numbers. */
  readonly counters: HTMLDListElement;
  readonly countersBox: HTMLElement;
  /** Says when the status cannot be read. */
  readonly note: HTMLElement;
}

/** ms between two questions. */
const POLL_MS = 2000;

/** Sessions, uptime, log and counters as the gateway tells them, and the rate of events as this page sees it. */
export class StatusCard {
  readonly #parts: StatusCardParts;
  readonly #heard: (status: Fields) => void;
  readonly #rate = new EventRate(() => performance.now());
  readonly #rateLine: SparkLine;

  /** `heard` is given every status. */
  constructor(parts: StatusCardParts, heard: (status: Fields) => void) {
    this.#parts = parts;
    this.#heard = heard;
    this.#rateLine = new SparkLine(parts.rateLine, 60);
  }

  /** Begins to ask, every 2 s while the page is visible. */
  start(): void {
    void this.#poll();
  }

  /** Asks out of turn: something has just changed. */
  refresh(): void {
    void this.#ask();
  }

  /** `count` events arrived at this page. */
  countEvents(count: number): void {
    this.#rate.add(count);
  }

  /** Shows the rate; to be called about once a second. */
  drawRate(): void {
    this.#parts.rate.textContent = `${formatNumber(this.#rate.perSecond, 1)} /s`;
    this.#rateLine.draw(this.#rate.history, 1);
  }

  async #poll(): Promise<void> {
    if (!document.hidden) await this.#ask();
    setTimeout(() => {
      void this.#poll();
    }, POLL_MS);
  }

  async #ask(): Promise<void> {
    const { note } = this.#parts;
    try {
      const response = await fetch('/api/admin/status', {
        cache: 'no-store',
        signal: AbortSignal.timeout(10_000),
      });
      if (!response.ok) throw new Error(`status ${String(response.status)}`);
      const status = new Fields(await response.json());
      this.#draw(status);
      this.#heard(status);
      note.textContent = '';
    } catch {
      note.textContent = 'The status cannot be read now; these numbers are old.';
    }
  }

  #draw(status: Fields): void {
    const { websocketSessions, sseSessions, uptime, log, held, window } = this.#parts;
    const sessions = status.fields('sessions');
    websocketSessions.textContent = formatNumber(sessions.number('websocket'), 0);
    sseSessions.textContent = formatNumber(sessions.number('sse'), 0);
    uptime.textContent = formatDuration(status.number('uptimeSeconds'));
    const logStatus = status.fields('log');
    const words = [logStatus.text('kind'), logStatus.text('state')].filter((word) => word !== undefined);
    log.textContent = words.join(', ') || UNKNOWN;
    held.textContent = formatNumber(status.number('eventsHeld'), 0);
    const windowMs = status.number('windowMs');
    window.textContent = windowMs === undefined ? UNKNOWN : `${formatNumber(windowMs, 0)} ms`;
    this.#drawCounters(status.fields('counters'));
  }

  #drawCounters(counters: Fields): void {
    const { counters: list, countersBox } = this.#parts;
    const rows = flatten(counters).flatMap(([name, count]) => {
      const term = document.createElement('dt');
      const value = document.createElement('dd');
      term.textContent = name;
      value.textContent = String(count);
      return [term, value];
    });
    list.replaceChildren(...rows);
    countersBox.hidden = rows.length === 0;
  }
}

/** Counts by name, `{name: count}` and `{name: {reason: count}}` alike. */
function flatten(counters: Fields): [string, number][] {
  return counters.entries().flatMap(([name, value]): [string, number][] => {
    if (typeof value === 'number') return [[name, value]];
    return new Fields(value)
      .entries()
      .filter((entry): entry is [string, number] => typeof entry[1] === 'number')
      .map(([reason, count]) => [reason === 'all' ? name : `${name} · ${reason}`, count]);
  });
}
