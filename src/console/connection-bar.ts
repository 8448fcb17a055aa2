import type { StateChange } from '../client/index.js';
import { UNKNOWN } from './quantity.js';
import { TRANSPORT_NAMES, type Transport } from './transport-names.js';

/** The elements that say how this page is connected. */
export interface ConnectionBarParts {
  readonly profile: HTMLElement;
  readonly transport: HTMLElement;
  readonly state: HTMLElement;
  /** Why the state is as it is. */
  readonly detail: HTMLElement;
  /** The rooms this page is in. */
  readonly rooms: HTMLElement;
  /** Label and select; shown only when there is a choice. */
  readonly choice: HTMLElement;
  readonly select: HTMLSelectElement;
}

/** Profile, transport and state of the connection, and the choice of a transport where there is one. */
export class ConnectionBar {
  readonly #parts: ConnectionBarParts;

  /** `choose` hears the transport that was picked. */
  constructor(parts: ConnectionBarParts, choose: (transport: Transport) => void) {
    this.#parts = parts;
    parts.select.addEventListener('change', () => {
      choose(parts.select.value === 'websocket' ? 'websocket' : 'sse');
    });
  }

  /** Shows what the gateway serves; `isChoice`: more than one transport is on. */
  showProfile(profile: string, isChoice: boolean): void {
    this.#parts.profile.textContent = profile;
    this.#parts.profile.dataset['value'] = profile;
    this.#parts.choice.hidden = !isChoice;
  }

  /** Shows how the connection is; a transport that is only tried is not in use. */
  showState({ state, transport, reason, retryInMs }: StateChange): void {
    const { transport: badge, state: word, detail, select } = this.#parts;
    const inUse = state === 'live' ? transport : null;
    badge.textContent = inUse === null ? UNKNOWN : TRANSPORT_NAMES[inUse];
    badge.dataset['value'] = inUse ?? '';
    if (inUse !== null) select.value = inUse;
    // Read out when it changes, so it is left alone when it does not.
    if (word.textContent !== state) word.textContent = state;
    word.dataset['value'] = state;
    detail.textContent = [reason, describeRetry(retryInMs)].filter((text) => text !== '').join(', ');
  }

  /** Shows that there is no stream, in a word, and why. */
  showNone(word: string, reason: string): void {
    this.showState({ state: 'closed', transport: null, url: '', reason, code: null, retryInMs: null });
    this.#parts.state.textContent = word;
  }

  /** Shows the rooms this page is in. */
  showRooms(rooms: readonly string[]): void {
    this.#parts.rooms.textContent = rooms.length === 0 ? UNKNOWN : rooms.join(', ');
  }
}

function describeRetry(retryInMs: number | null): string {
  if (retryInMs === null) return '';
  return retryInMs < 1000 ? 'asking again now' : `asking again in ${String(Math.round(retryInMs / 1000))} s`;
}
