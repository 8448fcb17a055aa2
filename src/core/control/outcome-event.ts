import type { CommandState } from '../command.js';
import type { NewEvent } from '../event.js';
import type { OutcomeEvent } from './command-queue.js';
import { DEFAULT_OUTCOME_TYPE } from './commands-module.js';

/**
 * The event that tells how a command ended. A success of a command with an event type of its own is that event, with
 * the handler's result as it is for data: what legacy pages listen for. Everything else, failures of such commands too,
 * is an event of type `outcomeType` with the command's state.
 * @param nowMs Wall time for the event's timestamp, ms.
 */
export function outcomeEvent(
  state: CommandState,
  publishes: OutcomeEvent,
  nowMs: number,
  outcomeType: string,
): NewEvent {
  const own = state.status === 'succeeded' && publishes.type !== DEFAULT_OUTCOME_TYPE;
  return {
    type: own ? publishes.type : outcomeType,
    room: publishes.room,
    key: undefined,
    dataJson: JSON.stringify(own ? (state.result ?? null) : state),
    timestamp: nowMs / 1000,
  };
}

/** How the outcome of a command is told. */
export interface OutcomeTelling {
  readonly publishes: OutcomeEvent;
  /** When the command ended, wall time, ms. */
  readonly endedMs: number;
  /** Most bytes of an event's data. */
  readonly maxDataBytes: number;
  /** Type of the event where the command names none of its own, or failed. */
  readonly outcomeType: string;
}

/**
 * The same, of an outcome that came from elsewhere: where its data has more than `maxDataBytes`, an event of type `outcomeType`
 * without the result that says so, as `omitted`. Who asks for the command's state is given what there is.
 */
export function tellableEvent(state: CommandState, told: OutcomeTelling): NewEvent {
  const { publishes, endedMs, maxDataBytes, outcomeType } = told;
  const event = outcomeEvent(state, publishes, endedMs, outcomeType);
  if (Buffer.byteLength(event.dataJson) <= maxDataBytes) return event;
  const { id, action, status } = state;
  const omitted = 'too large for an event';
  return {
    type: outcomeType,
    room: publishes.room,
    key: undefined,
    dataJson: JSON.stringify({ id, action, status, result: null, omitted }),
    timestamp: endedMs / 1000,
  };
}
