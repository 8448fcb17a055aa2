import type { Wire } from '../../core/delivery/slice.js';
import { eventPacket } from './packet.js';
import { textFrame } from './websocket-frame.js';

/** Packets, and the same as bytes for a websocket. */
export interface SocketIoFrame {
  /** For polling, and while a connection is being upgraded: packets the engine frames itself, in order. */
  readonly packets: readonly string[];
  /** For a websocket: all of them as ready-made frames. */
  readonly bytes: Buffer;
}

/** Packets as a frame. */
export function frameOf(packets: readonly string[]): SocketIoFrame {
  return { packets, bytes: Buffer.concat(packets.map((packet) => textFrame(`${ENGINE_MESSAGE}${packet}`))) };
}

/** Several frames as one. */
export function joined(frames: readonly SocketIoFrame[]): SocketIoFrame {
  return {
    packets: frames.flatMap(({ packets }) => packets),
    bytes: Buffer.concat(frames.map(({ bytes }) => bytes)),
  };
}

/** Type of an Engine.IO packet that carries a message. Source: https://socket.io/docs/v4/engine-io-protocol/#protocol */
const ENGINE_MESSAGE = '4';

/** A slice as a legacy client gets it: one packet an event, under the event's own type, with its data alone. */
export const legacyWire: Wire<SocketIoFrame> = {
  name: 'socket.io legacy',
  encode: (slice) => frameOf(slice.events.map((event) => eventPacket(event.type, event.dataJson))),
};

/** A slice as the whole of a bundle: one packet `events`, with an array of events and the slice's own cursor. */
export const bundleWire: Wire<SocketIoFrame> = {
  name: 'socket.io bundle',
  encode: (slice) => frameOf([eventPacket('events', `[${slice.json}]`, JSON.stringify(slice.cursor))]),
};
