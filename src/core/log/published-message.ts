import { isUtf8 } from 'node:buffer';
import { Refusal } from '../errors.js';
import { type EventLimits, type NewEvent, parseEvent } from '../event.js';
import { parseWithSources } from '../json-source.js';

/**
 * Reads a message of a Redis channel, an event as JSON text. `room` is what the channel's name says of its room, which
 * holds unless the message names one.
 */
export function parsePublished(
  bytes: Buffer,
  room: string | undefined,
  limits: EventLimits,
): NewEvent | Refusal {
  if (!isUtf8(bytes)) return new Refusal('invalid_json', 'a published message must be UTF-8');
  const parsed = parseWithSources(bytes.toString(), 'data');
  if (parsed instanceof Refusal) return parsed;
  let message = parsed.value;
  if (room !== undefined && typeof message === 'object' && message !== null && !Array.isArray(message)) {
    message = { room, ...message };
  }
  return parseEvent(message, parsed.sources[0], limits);
}
