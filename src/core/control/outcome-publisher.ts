import type { Clock } from '../clock.js';
import type { CommandState } from '../command.js';
import { Refusal } from '../errors.js';
import type { NewEvent } from '../event.js';
import type { Logger } from '../logger.js';
import type { Counters } from '../metrics/counters.js';
import type { CommandSpec } from './command-queue.js';
import { DEFAULT_OUTCOME_TYPE } from './commands-module.js';
import { messageOf } from './execution.js';

/** Enters an event into the log; resolves to a refusal, or rejects, when that did not work. */
export type Publish = (event: NewEvent) => Promise<unknown>;

/** What an {@link OutcomePublisher} is made of. */
export interface OutcomePublisherOptions {
  readonly publish: Publish;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
}

/**
 * Tells everybody how commands ended. A success of a command with an event type of its own is that event, with the
 * handler's result as it is for data: what legacy pages listen for. Everything else, failures of such commands too,
 * is a `command_response` with the command's state.
 */
export class OutcomePublisher {
  readonly #options: OutcomePublisherOptions;

  constructor(options: OutcomePublisherOptions) {
    this.#options = options;
  }

  /**
   * Publishes one outcome, or nothing where the spec says so. Never rejects: a publication that fails is logged and
   * counted (`command_publish_failures`), and the command's state, which can be asked for, stays what it is.
   */
  async announce(state: CommandState, { publishes }: CommandSpec): Promise<void> {
    if (publishes === null) return;
    const { publish, clock, logger, counters } = this.#options;
    const own = state.status === 'succeeded' && publishes.type !== DEFAULT_OUTCOME_TYPE;
    try {
      const answer = await publish({
        type: own ? publishes.type : DEFAULT_OUTCOME_TYPE,
        room: publishes.room,
        key: undefined,
        dataJson: JSON.stringify(own ? (state.result ?? null) : state),
        timestamp: clock.now() / 1000,
      });
      if (!(answer instanceof Refusal)) return;
      counters.add('command_publish_failures', answer.code);
      logger.warn('the outcome of a command was not published', { id: state.id, code: answer.code });
    } catch (error) {
      counters.add('command_publish_failures', 'internal');
      logger.error('the outcome of a command was not published', { id: state.id, reason: messageOf(error) });
    }
  }
}
