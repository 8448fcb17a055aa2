import { type Event, eventToJson } from '../event.js';
import { entrySize } from '../log/entry-size.js';

/** How one wire writes a slice. An implementation is one long-lived object, since frames are kept by it. */
export interface Wire<Frame> {
  /** For people. */
  readonly name: string;
  /** Encodes a slice; called once a slice, however many sessions get it. Pure. */
  encode(slice: Slice): Frame;
}

/** A stretch of one room after coalescing: what all sessions that stand at the same place get. */
export class Slice {
  /** Oldest first; none where a cut left only what later slices supersede. */
  readonly events: readonly Event[];
  /** A session that got this has everything of the room before this position. */
  readonly end: number;
  /** The cursor of {@link end}: what a session of this room alone may be told. */
  readonly cursor: string;
  /** Roughly what it takes on a wire. */
  readonly bytes: number;
  /** How many events of the room it stands for: its own, and those that coalescing left out. */
  readonly covers: number;
  readonly #frames = new Map<Wire<unknown>, unknown>();
  #json: string | undefined;

  constructor(events: readonly Event[], end: number, cursor: string, covers = events.length) {
    this.events = events;
    this.covers = covers;
    this.bytes = events.reduce((sum, event) => sum + entrySize(event), 0);
    this.end = end;
    this.cursor = cursor;
  }

  /** The events as JSON text, comma-separated without brackets, so that slices can be joined. */
  get json(): string {
    return (this.#json ??= this.events.map(eventToJson).join(','));
  }

  /** The slice as `wire` writes it, encoded at the first call. */
  frame<Frame>(wire: Wire<Frame>): Frame {
    const known = this.#frames.get(wire);
    // A wire is only ever asked for its own frames, so what is kept under it is a Frame.
    if (known !== undefined) return known as Frame;
    const frame = wire.encode(this);
    this.#frames.set(wire, frame);
    return frame;
  }
}
