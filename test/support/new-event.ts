import type { NewEvent } from '../../src/core/event.js';

/** An event as `parseEvent` would give it: type `note` in room `a`, its data `null`, unless `parts` says otherwise. */
export function newEvent(parts: Partial<NewEvent> = {}): NewEvent {
  return {
    type: 'note',
    room: 'a',
    key: undefined,
    dataJson: 'null',
    timestamp: 1_732_219_200.5,
    ...parts,
  };
}

/** Events of type `note` in `room`, their data the numbers from `from` to before `to`. */
export function numbered(from: number, to: number, room = 'a'): NewEvent[] {
  return Array.from({ length: to - from }, (_, index) => newEvent({ room, dataJson: String(from + index) }));
}
