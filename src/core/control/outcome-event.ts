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
