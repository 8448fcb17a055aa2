import type { Clock } from '../clock.js';
import type { Outcome, Principal } from '../command.js';
import type { Refusal } from '../errors.js';
import { isTypeName } from '../event.js';
import { LineAllowance } from '../line-allowance.js';
import type { Logger } from '../logger.js';
import { CommandFigures } from '../metrics/command-figures.js';
import type { Counters } from '../metrics/counters.js';
import { NO_TRACING, type Tracing } from '../tracing.js';

/** Lines a second about requests that had no command taken: anybody can make as many of those as they like. */
const LINES_PER_SECOND = 10;

/** What a {@link CommandJournal} writes to. */
export interface CommandJournalParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
  /** The actions that clients may ask for. */
  readonly actions: readonly string[];
  /** Where it is traced that a command ended. Default: nowhere. */
  readonly tracing?: Tracing;
}

/** A request for a command, as far as it is written down: nothing of its data, nor of what proves who asks. */
export interface JournalledRequest {
  /** The id that joins it with what else was logged of the request; undefined: it has none. */
  readonly request: string | undefined;
  /** As it came. */
  readonly action: unknown;
  readonly principal: Principal;
  /** Where the request comes from; undefined: not known. */
  readonly address: string | undefined;
}

/** How a command ended, as it is written down. */
export interface JournalledEnd {
  readonly id: string;
  readonly action: string;
  readonly outcome: Outcome;
  /** From its being taken, ms; null: not known. */
  readonly ms: number | null;
  /** The span that had it queued, as `traceparent`. */
  readonly traceparent: string | undefined;
}

/**
 * What is written down of commands: an audit line when one is taken, refused, or has ended, how long it took, the end of its
 * trace, and the counts `commands`, `command_refusals` and `command_replays`. Of refusals and replays there are at most ten
 * lines a second, and how many were left out.
 */
export class CommandJournal {
  /** How long commands took. */
  readonly figures: CommandFigures;
  readonly #logger: Logger;
  readonly #counters: Counters;
  readonly #tracing: Tracing;
  readonly #allowance: LineAllowance;

  constructor({ clock, logger, counters, actions, tracing = NO_TRACING }: CommandJournalParts) {
    this.figures = new CommandFigures(actions);
    this.#logger = logger;
    this.#counters = counters;
    this.#tracing = tracing;
    this.#allowance = new LineAllowance(clock, LINES_PER_SECOND, (leftOut) => {
      logger.warn('lines about refused and repeated commands were left out', { audit: 'command', leftOut });
    });
  }

  /** A command was taken. */
  taken(id: string, request: JournalledRequest): void {
    this.#logger.info('a command was taken', { ...factsOf(request), id });
  }

  /** A request repeated an idempotency key, and is given what came of the command `id`. */
  replayed(id: string, request: JournalledRequest): void {
    this.#counters.add('command_replays');
    if (this.#allowance.take())
      this.#logger.info('a command was asked for again', { ...factsOf(request), id });
  }

  /** A request was refused. */
  refused({ code }: Refusal, request: JournalledRequest): void {
    this.#counters.add('command_refusals', code);
    if (this.#allowance.take()) this.#logger.info('a command was refused', { ...factsOf(request), code });
  }

  /** A command ended; with Redis, one node of all is told so. */
  ended({ id, action, outcome, ms, traceparent }: JournalledEnd): void {
    const { status } = outcome;
    this.#counters.add('commands', status);
    if (ms !== null) this.figures.ended(action, status, ms);
    const failed = outcome.status === 'failed' ? outcome.error.code : undefined;
    const attributes = { 'flipgate.command.id': id, 'flipgate.command.outcome': status };
    this.#tracing.begin('outcome', { kind: 'internal', parent: traceparent, attributes }).end({ failed });
    this.#logger.info('a command ended', {
      audit: 'command',
      id,
      action,
      outcome: status,
      ...(failed === undefined ? {} : { code: failed }),
      ms: ms === null ? null : Math.round(ms),
    });
  }
}

/** What is no name of an action is not logged: it may be anything, of any length. */
function factsOf({ request, action, principal, address }: JournalledRequest): object {
  const named = isTypeName(action) ? action : null;
  return { audit: 'command', request, action: named, principal: principal.id, address };
}
