/** A wire that events can come over. */
export type Transport = 'sse' | 'websocket';

/** An event as both wires carry it. Source: PROTOCOL.md, Words. */
export interface GatewayEvent {
  /** Unique within its room, and ordered. */
  readonly id: string;
  readonly type: string;
  readonly room: string;
  /** What the event is the newest value of; absent where its publisher named nothing. */
  readonly key?: string;
  /** Any JSON value. */
  readonly data: unknown;
  /** Epoch seconds, as its publisher gave it. */
  readonly timestamp: number;
}

/** An event to be published. Source: PROTOCOL.md, Words. */
export interface NewEvent {
  readonly type: string;
  /** Default: the rooms of its type, else the gateway's default rooms. */
  readonly room?: string;
  readonly key?: string;
  readonly data?: unknown;
  /** Epoch seconds; default: the time at which the gateway takes it. */
  readonly timestamp?: number;
}

/** What the gateway says first on every stream. */
export interface Welcome {
  readonly sessionId: string;
  /** The profile the node serves: `WEBSOCKET`, `SSE` or `HYBRID`. */
  readonly profile: string;
  /** The rooms this session is in. */
  readonly rooms: readonly string[];
  /** The cursor it goes on from; null when it begins anew. */
  readonly cursor: string | null;
  /** True when it goes on from the cursor it came with. */
  readonly resumed: boolean;
  /** The longest silence of a stream that lives, ms. */
  readonly heartbeatMs: number;
  /** The log's name for as long as its ids go upwards; absent from gateways that know of none. */
  readonly epoch?: string;
}

/** A stretch of the log that could not be given. */
export interface Gap {
  /** `trimmed`, `unknown_cursor` or `overflow`. */
  readonly reason: string;
  /** Events lost; null when that can't be known. */
  readonly dropped: number | null;
  /** Where the stream goes on. */
  readonly cursor: string;
  /** The epoch of what follows; see {@link Welcome}. */
  readonly epoch?: string;
}

/** The newest values of a room: the answer to `GET /api/rooms/{room}/state`. */
export interface RoomState {
  /** Oldest first. */
  readonly events: readonly GatewayEvent[];
  /** The cursor as of which these are the newest. */
  readonly cursor: string;
  readonly epoch?: string;
}

/** What a gateway serves: the answer to `GET /api/profile`. */
export interface ProfileDocument {
  /** `WEBSOCKET`, `SSE` or `HYBRID`. */
  readonly profile: string;
  /** The path of each transport; null for one that is off. */
  readonly transports: Readonly<Record<Transport, { readonly path: string } | null>>;
  /** Where commands go; null when none are taken over HTTP. */
  readonly control: { readonly path: string } | null;
  /** Shortest and longest wait between two attempts to connect, ms, before jitter. */
  readonly reconnect: { readonly minMs: number; readonly maxMs: number };
}
