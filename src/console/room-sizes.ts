import type { Fields } from './fields.js';
import { formatNumber } from './quantity.js';
import { Rows } from './rows.js';

/** Rooms that are shown: the largest. */
const SHOWN = 20;

/** The elements of the table of rooms. */
export interface RoomSizesParts {
  readonly body: HTMLElement;
  /** How many there are. */
  readonly count: HTMLElement;
}

/** The largest rooms and how many sessions each has: of all nodes, where there are several. */
export class RoomSizes {
  readonly #parts: RoomSizesParts;
  readonly #rows: Rows;

  constructor(parts: RoomSizesParts) {
    this.#parts = parts;
    this.#rows = new Rows(parts.body);
  }

  /** Shows what a status says. */
  take(status: Fields): void {
    const cluster = status.fields('cluster');
    const rooms = (cluster.value('rooms') === undefined ? status : cluster).fields('rooms');
    const sizes = rooms
      .entries()
      .filter((entry): entry is [string, number] => typeof entry[1] === 'number')
      .sort(([, one], [, other]) => other - one);
    const greatest = sizes[0]?.[1] ?? 1;
    // Beyond a thousand the gateway tells only the largest.
    this.#parts.count.textContent = sizes.length >= 1000 ? '1000 and more' : String(sizes.length);
    this.#rows.draw(
      sizes.slice(0, SHOWN).map(([room, size]) => [
        { text: room, title: room },
        { text: formatNumber(size, 0), className: 'number share', level: size / greatest },
      ]),
    );
  }
}
