import type { Schema } from './schema.js';

/** A part of the AsyncAPI document: what travels over some channels, and who sends it. */
export interface ChannelParts {
  readonly channels: Readonly<Record<string, Schema>>;
  readonly operations: Readonly<Record<string, Schema>>;
}

/** What is told of one message. */
export interface MessageParts {
  /** What it is called on the wire; left out where it has no name, or any. */
  readonly name?: string;
  readonly summary: string;
  readonly headers?: Schema;
  /** Default: JSON. */
  readonly contentType?: string;
  readonly payload: Schema;
  /** A payload that is real, and the headers it comes with. */
  readonly example: unknown;
  readonly exampleHeaders?: unknown;
}

/** The message as AsyncAPI has it. */
export function message(parts: MessageParts): Schema {
  const { name, summary, headers, contentType, payload, example, exampleHeaders } = parts;
  return {
    ...(name === undefined ? {} : { name }),
    summary,
    ...(headers === undefined ? {} : { headers }),
    ...(contentType === undefined ? {} : { contentType }),
    payload,
    examples: [{ payload: example, ...(exampleHeaders === undefined ? {} : { headers: exampleHeaders }) }],
  };
}

/** A channel by its name. */
export function channelRef(channel: string): Schema {
  return { $ref: `#/channels/${channel}` };
}

/** Messages of a channel by their names. */
export function messageRefs(channel: string, names: readonly string[]): readonly Schema[] {
  return names.map((name) => ({ $ref: `#/channels/${channel}/messages/${name}` }));
}

/** The gateway sends these. */
export function sends(channel: string, names: readonly string[], summary: string, more: Schema = {}): Schema {
  return {
    action: 'send',
    channel: channelRef(channel),
    summary,
    messages: messageRefs(channel, names),
    ...more,
  };
}

/** The gateway takes these. */
export function receives(
  channel: string,
  names: readonly string[],
  summary: string,
  more: Schema = {},
): Schema {
  return {
    action: 'receive',
    channel: channelRef(channel),
    summary,
    messages: messageRefs(channel, names),
    ...more,
  };
}

/** It is answered with one of these, on the same channel. */
export function repliedWith(channel: string, ...names: readonly string[]): Schema {
  return { reply: { channel: channelRef(channel), messages: messageRefs(channel, names) } };
}

/** A server by its name. */
export function serverRefs(...names: readonly string[]): readonly Schema[] {
  return names.map((name) => ({ $ref: `#/servers/${name}` }));
}
