import { Refusal } from './errors.js';
import { parseJson } from './parse-json.js';

/** An event as published, before the log gave it an id. */
export interface NewEvent {
  /** 1–128 of `A-Z a-z 0-9 _ . : -`, none of {@link RESERVED_TYPES}. */
  readonly type: string;
  /** The room it was published to; without one, its type's rooms or the default rooms get it. */
  readonly room: string | undefined;
  /** 1–256 printable characters: within (room, type, key) the newest value wins. */
  readonly key: string | undefined;
  /** The payload as the JSON text that its publisher sent: nothing parses it again on the way out, and no number is rounded. */
  readonly dataJson: string;
  /** Epoch seconds, kept as the publisher gave it, else the time of ingest. */
  readonly timestamp: number;
}

/** An event as the log holds it. */
export interface LogEntry extends NewEvent {
  /** Unique and ordered: `<epoch ms>-<sequence>`. */
  readonly id: string;
}

/** An event as one room's sessions get it. */
export interface Event extends LogEntry {
  readonly room: string;
  /** What coalescing compares within a room; null when every event is delivered (policy `append`). */
  readonly slot: string | null;
  /** Place in this process's timeline; means nothing outside it and never leaves it. */
  readonly position: number;
}

/**
 * Names Socket.IO keeps for itself. A legacy client that is sent an event of such a name takes it for a
 * protocol error and drops its connection, so no event may have one. Source: socket.io-parser RESERVED_EVENTS.
 */
export const RESERVED_TYPES: ReadonlySet<string> = new Set([
  'connect',
  'connect_error',
  'disconnect',
  'disconnecting',
  'newListener',
  'removeListener',
]);

/** What rooms, types of events and actions are called. */
export const NAME = /^[A-Za-z0-9_.:-]{1,128}$/;
/** What the key of an event may be: printable characters, of Unicode. */
export const KEY = /^[^\p{C}\p{Zl}\p{Zp}]{1,256}$/u;

/** True for a room's name: 1–128 of `A-Z a-z 0-9 _ . : -`. */
export function isRoomName(value: unknown): value is string {
  return typeof value === 'string' && NAME.test(value);
}

/** True for a name an event's type or a command's action may have: 1–128 of `A-Z a-z 0-9 _ . : -`. */
export function isTypeName(value: unknown): value is string {
  return typeof value === 'string' && NAME.test(value);
}

/** Bounds for {@link parseEvent} and {@link parseFields}. */
export interface EventLimits {
  /** Most bytes `data` may have as JSON text. */
  readonly maxDataBytes: number;
  /** Wall time in ms, for events that bring no timestamp. */
  readonly nowMs: number;
}

/**
 * Reads a published event, `{type, room?, key?, data?, timestamp?}`, as HTTP and Redis publishers send it. `dataJson` is the source
 * text of its `data`, undefined where it has none.
 */
export function parseEvent(
  input: unknown,
  dataJson: string | undefined,
  limits: EventLimits,
): NewEvent | Refusal {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return new Refusal('invalid_event', 'an event is a JSON object {type, room?, key?, data?, timestamp?}');
  }
  const { type, room, key, timestamp } = input as Record<string, unknown>;
  return checkEvent({ type, room, key, dataJson: dataJson ?? 'null', timestamp }, limits);
}

/**
 * Reads the fields of a Redis Stream entry, `type room key timestamp data`, where `data` is JSON text and
 * empty or missing optional fields mean none.
 */
export function parseFields(fields: ReadonlyMap<string, string>, limits: EventLimits): NewEvent | Refusal {
  const dataJson = fields.get('data') ?? 'null';
  const timestamp = fields.get('timestamp');
  const event = checkEvent(
    {
      type: fields.get('type'),
      room: fields.get('room') || undefined,
      key: fields.get('key') || undefined,
      dataJson,
      timestamp: timestamp === undefined || timestamp === '' ? undefined : Number(timestamp),
    },
    limits,
  );
  if (event instanceof Refusal) return event;
  // The data comes last: text that is too long is not parsed.
  const data = parseJson(dataJson);
  return data instanceof Refusal ? new Refusal('invalid_data', `the field data: ${data.message}`) : event;
}

/** The fields a log entry is stored under in a Redis Stream, as a flat list; the inverse of {@link parseFields}. */
export function toFields(event: NewEvent): string[] {
  const fields = ['type', event.type, 'timestamp', String(event.timestamp), 'data', event.dataJson];
  if (event.room !== undefined) fields.push('room', event.room);
  if (event.key !== undefined) fields.push('key', event.key);
  return fields;
}

/** An event as JSON text, as bundles and the HTTP API carry it: `{id, type, room, key?, data, timestamp}`. */
export function eventToJson(event: Event): string {
  return jsonBeforeData(event) + event.dataJson + jsonAfterData(event);
}

/** The part of {@link eventToJson} before `dataJson`. */
export function jsonBeforeData(event: Event): string {
  const key = event.key === undefined ? '' : `"key":${JSON.stringify(event.key)},`;
  return `{"id":"${event.id}","type":"${event.type}","room":"${event.room}",${key}"data":`;
}

/** The part of {@link eventToJson} after `dataJson`. */
export function jsonAfterData(event: Event): string {
  return `,"timestamp":${String(event.timestamp)}}`;
}

interface Candidate {
  readonly type: unknown;
  readonly room: unknown;
  readonly key: unknown;
  readonly dataJson: string;
  readonly timestamp: unknown;
}

function checkEvent(candidate: Candidate, limits: EventLimits): NewEvent | Refusal {
  const { type, dataJson } = candidate;
  const room = candidate.room ?? undefined;
  const key = candidate.key ?? undefined;
  const timestamp = candidate.timestamp ?? limits.nowMs / 1000;
  if (type === undefined || type === null) {
    return new Refusal('invalid_type', 'type is missing: an event needs one, 1–128 of A-Z a-z 0-9 _ . : -');
  }
  if (!isTypeName(type)) {
    return new Refusal('invalid_type', 'type must be 1–128 of A-Z a-z 0-9 _ . : -');
  }
  if (RESERVED_TYPES.has(type)) {
    return new Refusal('invalid_type', `type "${type}" is kept by the Socket.IO protocol for itself`);
  }
  if (room !== undefined && !isRoomName(room)) {
    return new Refusal('invalid_room', 'room must be 1–128 of A-Z a-z 0-9 _ . : -');
  }
  if (key !== undefined && !(typeof key === 'string' && KEY.test(key))) {
    return new Refusal('invalid_key', 'key must be 1–256 printable characters');
  }
  if (typeof timestamp !== 'number' || !Number.isFinite(timestamp)) {
    return new Refusal('invalid_timestamp', 'timestamp must be a number, in epoch seconds');
  }
  if (Buffer.byteLength(dataJson) > limits.maxDataBytes) {
    return new Refusal('payload_too_large', `data has more than ${String(limits.maxDataBytes)} bytes`);
  }
  return { type, room, key, dataJson, timestamp };
}
