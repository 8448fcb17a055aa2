import { type Profile, TRANSPORT_NAMES, type Transport } from './profile.js';
import { UNKNOWN } from './quantity.js';
import type { StreamState } from './stream.js';

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

  /** Shows what the gateway serves. */
  showProfile(profile: Profile): void {
    this.#parts.profile.textContent = profile.name;
    this.#parts.profile.dataset['value'] = profile.name;
    this.#parts.choice.hidden = Object.keys(profile.paths).length < 2;
  }

  /** Shows the transport in use. */
  showTransport(transport: Transport | undefined): void {
    const badge = this.#parts.transport;
    badge.textContent = transport === undefined ? UNKNOWN : TRANSPORT_NAMES[transport];
    badge.dataset['value'] = transport ?? '';
    if (transport !== undefined) this.#parts.select.value = transport;
  }

  /** Shows how the stream is; read out by screen readers when it changes. */
  showState(state: StreamState, detail: string): void {
    const { state: label, detail: note } = this.#parts;
    if (label.textContent !== state) label.textContent = state;
    label.dataset['value'] = state;
    note.textContent = detail;
  }

  /** Shows the rooms of this session. */
  showRooms(rooms: readonly string[]): void {
    this.#parts.rooms.textContent = rooms.join(', ') || UNKNOWN;
  }
}
