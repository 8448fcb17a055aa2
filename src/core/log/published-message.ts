import { Refusal } from '../errors.js';
import { type EventLimits, type NewEvent, parseEvent } from '../event.js';

/**
 * Reads a message of a Redis channel, an event as JSON text. `room` is what the channel's name says of its room, which
 * holds unless the message names one.
 */
export function parsePublished(
  text: string,
  room: string | undefined,
  limits: EventLimits,
): NewEvent | Refusal {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return new Refusal('invalid_json', 'a published message must be a JSON object');
  }
  if (room !== undefined && typeof message === 'object' && message !== null && !Array.isArray(message)) {
    message = { room, ...message };
  }
  return parseEvent(message, limits);
}
