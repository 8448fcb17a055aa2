import { Fields } from './fields.js';

/** An event as both wires carry it. */
export interface GatewayEvent {
  /** Unique; what duplicates are known by. */
  readonly id: string;
  readonly type: string;
  readonly room: string;
  readonly key: string | undefined;
  /** Any JSON value. */
  readonly data: unknown;
  /** Epoch seconds as its publisher gave it; undefined when it is no number. */
  readonly timestamp: number | undefined;
}

/** What the gateway says first on every stream. */
export interface Welcome {
  readonly sessionId: string | undefined;
  readonly profile: string | undefined;
  /** The rooms this session is in. */
  readonly rooms: readonly string[];
  readonly cursor: string | undefined;
  /** True when the stream goes on from the cursor the page sent. */
  readonly resumed: boolean;
}

/** A stretch of the log that this session could not be given. */
export interface Gap {
  readonly reason: string;
  /** Events lost; undefined when the gateway cannot know. */
  readonly dropped: number | undefined;
}

/** What a gateway tells its clients before it ends their streams. */
export const NOTICES = ['draining', 'profile_changed', 'token_expired'] as const;

/** One of {@link NOTICES}. */
export type Notice = (typeof NOTICES)[number];

/** The events of a bundle; whatever in it is not an event is left out. */
export function readEvents(bundle: unknown): GatewayEvent[] {
  if (!Array.isArray(bundle)) return [];
  const events: GatewayEvent[] = [];
  for (const item of bundle as unknown[]) {
    const fields = new Fields(item);
    const id = fields.text('id');
    const type = fields.text('type');
    if (id === undefined || type === undefined) continue;
    events.push({
      id,
      type,
      room: fields.text('room') ?? '',
      key: fields.text('key'),
      data: fields.value('data'),
      timestamp: fields.number('timestamp'),
    });
  }
  return events;
}

/** A `welcome` as it came. */
export function readWelcome(value: unknown): Welcome {
  const fields = new Fields(value);
  return {
    sessionId: fields.text('sessionId'),
    profile: fields.text('profile'),
    rooms: fields.texts('rooms'),
    cursor: fields.text('cursor'),
    resumed: fields.flag('resumed') ?? false,
  };
}

/** A `gap` as it came. */
export function readGap(value: unknown): Gap {
  const fields = new Fields(value);
  return { reason: fields.text('reason') ?? 'unknown', dropped: fields.number('dropped') };
}
