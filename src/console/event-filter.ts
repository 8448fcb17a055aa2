import type { GatewayEvent } from '../client/index.js';

/** The elements a filter is set with. */
export interface EventFilterParts {
  readonly text: HTMLInputElement;
  readonly room: HTMLSelectElement;
  readonly type: HTMLSelectElement;
}

/** Most choices of a list; names that come later can still be typed. */
const MAX_CHOICES = 200;

/** Which events are shown: those of a room, of a type, and with a text in their type, room or key; all that are set. */
export class EventFilter {
  readonly #parts: EventFilterParts;
  readonly #rooms = new Set<string>();
  readonly #types = new Set<string>();
  #needle = '';

  /** `changed` hears that other events are to be shown. */
  constructor(parts: EventFilterParts, changed: () => void) {
    this.#parts = parts;
    const read = (): void => {
      this.#needle = parts.text.value.trim().toLowerCase();
    };
    parts.text.addEventListener('input', () => {
      read();
      changed();
    });
    for (const select of [parts.room, parts.type]) select.addEventListener('change', changed);
    // A filter that the browser kept over a reload is in the field before the first event.
    read();
  }

  /** Offers the rooms that this page is in. */
  offerRooms(rooms: readonly string[]): void {
    for (const room of rooms) offer(this.#parts.room, this.#rooms, room);
  }

  /** Offers the event's room and type from now on. */
  learn({ room, type }: GatewayEvent): void {
    offer(this.#parts.room, this.#rooms, room);
    offer(this.#parts.type, this.#types, type);
  }

  /** True when the event is to be shown. */
  matches({ room, type, key }: GatewayEvent): boolean {
    const { room: wantedRoom, type: wantedType } = this.#parts;
    if (wantedRoom.value !== '' && wantedRoom.value !== room) return false;
    if (wantedType.value !== '' && wantedType.value !== type) return false;
    const needle = this.#needle;
    return needle === '' || [type, room, key ?? ''].some((text) => text.toLowerCase().includes(needle));
  }
}

/** Adds a choice in the order of names, after the one that means all. */
function offer(select: HTMLSelectElement, known: Set<string>, name: string): void {
  if (known.has(name) || known.size >= MAX_CHOICES) return;
  known.add(name);
  const after = Array.from(select.options).find((option) => option.value !== '' && option.value > name);
  select.add(new Option(name, name), after ?? null);
}
