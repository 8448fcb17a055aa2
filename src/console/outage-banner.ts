import type { Outage } from './outage.js';
import { formatTimeOfDay } from './quantity.js';

/** The elements of the banner. */
export interface OutageBannerParts {
  /** Hidden while all works. */
  readonly box: HTMLElement;
  readonly what: HTMLElement;
  readonly since: HTMLElement;
  readonly why: HTMLElement;
  readonly effects: HTMLElement;
  /** The word that says how this page is connected: what is live may be of little use. */
  readonly state: HTMLElement;
}

/** The outage that is shown. */
interface Shown {
  readonly text: string;
  /** When the page saw first that something does not work. */
  readonly seenAt: number;
  /** Since when, as it says. */
  readonly since: number;
}

/** How far two tellings of the same moment may be apart, ms. */
const SAME_MS = 2000;

/** Says across the page what does not work, why, and since when, for as long as that is so. */
export class OutageBanner {
  readonly #parts: OutageBannerParts;
  readonly #now: () => number;
  #shown: Shown | undefined;

  /** `now` tells the time in epoch ms. */
  constructor(parts: OutageBannerParts, now: () => number) {
    this.#parts = parts;
    this.#now = now;
  }

  /** Takes what does not work now; undefined: all works. */
  show(outage: Outage | undefined): void {
    const { box, what, since, why, effects, state } = this.#parts;
    state.toggleAttribute('data-degraded', outage !== undefined);
    box.hidden = outage === undefined;
    const before = this.#shown;
    if (outage === undefined) {
      this.#shown = undefined;
      return;
    }
    const seenAt = before?.seenAt ?? this.#now();
    const shown = {
      text: JSON.stringify([outage.what, outage.why, outage.effects]),
      seenAt,
      since: outage.since ?? seenAt,
    };
    // It is read out when it changes, so it is left alone when it does not.
    if (before?.text === shown.text && Math.abs(before.since - shown.since) < SAME_MS) return;
    this.#shown = shown;
    what.textContent = outage.what;
    const clock = formatTimeOfDay(shown.since / 1000).slice(0, 8);
    since.textContent = `since ${clock}${outage.since === undefined ? ' at least' : ''}`;
    why.textContent = outage.why;
    why.hidden = outage.why === '';
    effects.replaceChildren(
      ...outage.effects.map((effect) => {
        const item = document.createElement('li');
        item.textContent = effect;
        return item;
      }),
    );
  }
}
