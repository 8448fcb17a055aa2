import type { Wire } from '../../core/delivery/slice.js';
import { eventPacket } from './packet.js';

/** A slice as a legacy client gets it: one packet an event, under the event's own type, with its data alone. */
export const legacyWire: Wire<readonly string[]> = {
  name: 'socket.io legacy',
  encode: (slice) => slice.events.map((event) => eventPacket(event.type, event.dataJson)),
};

/** A slice as the whole of a bundle: one packet `events`, with an array of events and the slice's own cursor. */
export const bundleWire: Wire<string> = {
  name: 'socket.io bundle',
  encode: (slice) => eventPacket('events', `[${slice.json}]`, JSON.stringify(slice.cursor)),
};
