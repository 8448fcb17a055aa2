import type { CommandState } from '../command.js';
import type { NewEvent } from '../event.js';
import type { OutcomeEvent } from './command-queue.js';
import { DEFAULT_OUTCOME_TYPE } from './commands-module.js';

/**
 * The event that tells how a command ended. A success of a command with an event type of its own is that event, with
 * the handler's result as it is for data: what legacy pages listen for. Everything else, failures of such commands too,
 * is a `command_response` with the command's state.
 * @param nowMs Wall time for the event's timestamp, ms.
 */
export function outcomeEvent(state: CommandState, publishes: OutcomeEvent, nowMs: number): NewEvent {
  const own = state.status === 'succeeded' && publishes.type !== DEFAULT_OUTCOME_TYPE;
  return {
    type: own ? publishes.type : DEFAULT_OUTCOME_TYPE,
    room: publishes.room,
    key: undefined,
    dataJson: JSON.stringify(own ? (state.result ?? null) : state),
    timestamp: nowMs / 1000,
  };
}

/**
 * The same, of an outcome that came from elsewhere: where an event can't carry it (more than `maxDataBytes`, or nested too
 * deep to be written), a `command_response` without the result that says so, as `omitted`. Who asks for the command's state
 * is given what there is.
 */
export function tellableEvent(
  state: CommandState,
  told: { readonly publishes: OutcomeEvent; readonly endedMs: number; readonly maxDataBytes: number },
): NewEvent {
  const { publishes, endedMs, maxDataBytes } = told;
  const event = writtenEvent(state, publishes, endedMs);
  if (event !== undefined && Buffer.byteLength(event.dataJson) <= maxDataBytes) return event;
  const { id, action, status } = state;
  const omitted = event === undefined ? 'nested too deep for an event' : 'too large for an event';
  return {
    type: DEFAULT_OUTCOME_TYPE,
    room: publishes.room,
    key: undefined,
    dataJson: JSON.stringify({ id, action, status, result: null, omitted }),
    timestamp: endedMs / 1000,
  };
}

/** Undefined when the outcome is nested too deep. */
function writtenEvent(state: CommandState, publishes: OutcomeEvent, endedMs: number): NewEvent | undefined {
  try {
    return outcomeEvent(state, publishes, endedMs);
  } catch {
    return undefined;
  }
}
