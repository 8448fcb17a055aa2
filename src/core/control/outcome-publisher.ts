import type { Clock } from '../clock.js';
import type { CommandState } from '../command.js';
import { Refusal } from '../errors.js';
import type { NewEvent } from '../event.js';
import type { Logger } from '../logger.js';
import type { Counters } from '../metrics/counters.js';
import type { OutcomeEvent } from './command-queue.js';
import { DEFAULT_OUTCOME_TYPE } from './commands-module.js';
import { messageOf } from './execution.js';
import { outcomeEvent } from './outcome-event.js';

/** Enters an event into the log; resolves to a refusal, or rejects, when that did not work. */
export type Publish = (event: NewEvent) => Promise<unknown>;

/** What an {@link OutcomePublisher} is made of. */
export interface OutcomePublisherOptions {
  readonly publish: Publish;
  /** Type of the events that tell outcomes; default {@link DEFAULT_OUTCOME_TYPE}. */
  readonly outcomeType?: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
}

/** Tells everybody how commands of this process ended. */
export class OutcomePublisher {
  readonly #options: OutcomePublisherOptions;

  constructor(options: OutcomePublisherOptions) {
    this.#options = options;
  }

  /**
   * Publishes one outcome, or nothing where `publishes` is null. Never rejects: a publication that fails is logged and
   * counted (`command_publish_failures`), and the command's state, which can be asked for, stays what it is.
   */
  async announce(state: CommandState, publishes: OutcomeEvent | null): Promise<void> {
    if (publishes === null) return;
    const { publish, clock, logger, counters, outcomeType = DEFAULT_OUTCOME_TYPE } = this.#options;
    try {
      const answer = await publish(outcomeEvent(state, publishes, clock.now(), outcomeType));
      if (!(answer instanceof Refusal)) return;
      counters.add('command_publish_failures', answer.code);
      logger.warn('the outcome of a command was not published', { id: state.id, code: answer.code });
    } catch (error) {
      counters.add('command_publish_failures', 'internal');
      logger.error('the outcome of a command was not published', { id: state.id, reason: messageOf(error) });
    }
  }
}
