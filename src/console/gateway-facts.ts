import { EventRate } from './event-rate.js';
import { Fields } from './fields.js';
import { formatDuration, formatNumber, UNKNOWN } from './quantity.js';
import { SparkLine } from './spark-line.js';

/** The elements the gateway's facts live in. */
export interface GatewayFactsParts {
  readonly rate: HTMLElement;
  readonly rateLine: HTMLElement;
  readonly uptime: HTMLElement;
  readonly log: HTMLElement;
  /** Events in this node's memory. */
  readonly held: HTMLElement;
  readonly window: HTMLElement;
  readonly counters: HTMLDListElement;
  readonly countersBox: HTMLElement;
  /** Says when the status cannot be read. */
  readonly note: HTMLElement;
}

/** Uptime, log and counters as the gateway tells them, and the rate of events as this page sees it. */
export class GatewayFacts {
  readonly #parts: GatewayFactsParts;
  readonly #rate = new EventRate(() => performance.now());
  readonly #rateLine: SparkLine;

  constructor(parts: GatewayFactsParts) {
    this.#parts = parts;
    this.#rateLine = new SparkLine(parts.rateLine, 60);
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

  /** Shows what a status says. */
  take(status: Fields): void {
    const { uptime, log, held, window, note } = this.#parts;
    uptime.textContent = formatDuration(status.number('uptimeSeconds'));
    const logStatus = status.fields('log');
    const words = [logStatus.text('kind'), logStatus.text('state')].filter((word) => word !== undefined);
    log.textContent = words.join(', ') || UNKNOWN;
    held.textContent = formatNumber(status.number('eventsHeld'), 0);
    const windowMs = status.number('windowMs');
    window.textContent = windowMs === undefined ? UNKNOWN : `${formatNumber(windowMs, 0)} ms`;
    note.textContent = '';
    this.#drawCounters(status.fields('counters'));
  }

  /** The status cannot be read now. */
  fail(): void {
    this.#parts.note.textContent = 'The status cannot be read now; these numbers are old.';
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
