import type { Clock } from '../../clock.js';
import { type CommandState, failedWith, type Outcome } from '../../command.js';
import { Refusal } from '../../errors.js';
import type { Logger } from '../../logger.js';
import type { Counters } from '../../metrics/counters.js';
import type { Claim } from '../claim.js';
import type { CommandQueue, Receipt } from '../command-queue.js';
import { type CommandRecord, CommandRecords } from './command-records.js';
import type { CommandJournal } from '../command-journal.js';
import type {
  AskedCommand,
  CommandStore,
  CommandSummary,
  FoundCommand,
  TakenCommand,
} from '../command-store.js';
import { OutcomePublisher, type Publish } from '../outcome-publisher.js';
import { within } from '../../within.js';

/** What a {@link MemoryCommandStore} is made of. */
export interface MemoryCommandStoreOptions {
  /** Closed with the store. */
  readonly queue: CommandQueue;
  readonly publish: Publish;
  /** Type of the events that tell outcomes; default {@link DEFAULT_OUTCOME_TYPE}. */
  readonly outcomeType?: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
  /** Where how commands end is written down. */
  readonly journal: CommandJournal;
}

/** ms that `close` waits for publications that hang. */
const PUBLISH_CLOSE_MS = 2000;

/**
 * Commands of this process: what it remembers ends with it. A request that was refused is forgotten, key and all, and
 * may be made again. Counts `command_publish_failures`.
 */
export class MemoryCommandStore implements CommandStore {
  readonly #options: MemoryCommandStoreOptions;
  readonly #records: CommandRecords;
  readonly #outcomes: OutcomePublisher;
  readonly #unfinished = new Set<Promise<void>>();
  #closed: Promise<void> | undefined;

  constructor(options: MemoryCommandStoreOptions) {
    this.#options = options;
    this.#records = new CommandRecords(options.clock);
    this.#outcomes = new OutcomePublisher(options);
  }

  get open(): number {
    return this.#records.open;
  }

  async recall({ claim }: AskedCommand): Promise<TakenCommand | Refusal | undefined> {
    const known = this.#known(claim);
    return known === undefined || known instanceof Refusal ? known : takenOf(known, true);
  }

  async take(asked: AskedCommand): Promise<TakenCommand | Refusal> {
    const known = this.#known(asked.claim);
    if (known instanceof Refusal) return known;
    return takenOf(known ?? this.#start(asked), known !== undefined);
  }

  find(id: string): Promise<FoundCommand | Refusal> {
    const record = this.#records.find(id);
    return Promise.resolve(
      record === undefined
        ? new Refusal('unknown_command', 'no such command, or no longer')
        : { state: stateOf(record), principal: record.principal },
    );
  }

  recent(limit: number): Promise<readonly CommandSummary[]> {
    return Promise.resolve(this.#records.newest(limit).map(summaryOf));
  }

  /** Closes the queue, and resolves when the outcome of every command has been published (2 s at most for that). */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  #known(claim: Claim | undefined): CommandRecord | Refusal | undefined {
    return claim === undefined ? undefined : this.#records.recall(claim);
  }

  #start({ command, spec, claim }: AskedCommand): CommandRecord {
    const { id, action, principal, traceparent } = command;
    const accepted = this.#offer({ command, spec, claim });
    const ended = this.#follow(id, accepted);
    const told = ended.then((state) =>
      state === undefined ? undefined : this.#outcomes.announce(state, spec.publishes),
    );
    this.#unfinished.add(told);
    void told.finally(() => this.#unfinished.delete(told));
    const { clock } = this.#options;
    const record: CommandRecord = {
      id,
      action,
      principal: principal.id,
      accepted,
      ended,
      claim,
      traceparent,
      at: clock.now(),
      takenAt: clock.elapsed(),
      endedAt: undefined,
      outcome: undefined,
    };
    this.#records.add(record);
    return record;
  }

  async #offer({ command, spec }: AskedCommand): Promise<Receipt | Refusal> {
    let answer: Receipt | Refusal | undefined;
    try {
      answer = await this.#options.queue.offer(command, spec);
    } finally {
      // Thrown or refused: it was not taken, and the same key may be used again.
      if (answer === undefined || answer instanceof Refusal) this.#records.forget(command.id);
    }
    return answer;
  }

  async #follow(id: string, accepted: Promise<Receipt | Refusal>): Promise<CommandState | undefined> {
    // What offering throws is the submitter's to hear.
    const answer = await accepted.catch(() => undefined);
    if (answer === undefined || answer instanceof Refusal) return undefined;
    const [outcome, size] = measured(await answer.outcome);
    const record = this.#records.end(id, outcome, size);
    const { action, traceparent, takenAt, endedAt = takenAt } = record;
    this.#options.journal.ended({ id, action, outcome, ms: endedAt - takenAt, traceparent });
    return stateOf(record);
  }

  async #end(): Promise<void> {
    const { queue, clock } = this.#options;
    await queue.close();
    await within(clock, PUBLISH_CLOSE_MS, Promise.all(this.#unfinished));
  }
}

async function takenOf(record: CommandRecord, replayed: boolean): Promise<TakenCommand | Refusal> {
  const answer = await record.accepted;
  if (answer instanceof Refusal) return answer;
  return { replayed, ended: record.ended, state: () => stateOf(record) };
}

function stateOf({ id, action, outcome }: CommandRecord): CommandState {
  return { id, action, ...(outcome ?? { status: 'queued' }) };
}

function summaryOf({ id, action, at, takenAt, endedAt, outcome }: CommandRecord): CommandSummary {
  const status = outcome?.status ?? 'queued';
  return {
    id,
    action,
    status,
    at,
    ...(endedAt === undefined ? {} : { durationMs: Math.round(endedAt - takenAt) }),
    ...(outcome?.status === 'failed' ? { error: outcome.error } : {}),
  };
}

/** The outcome and its length as JSON text. A queue that lets through what JSON cannot carry must not break the store. */
function measured(outcome: Outcome): [Outcome, number] {
  try {
    return [outcome, JSON.stringify(outcome).length];
  } catch {
    return [failedWith(new Refusal('command_failed', 'the result cannot be written as JSON')), 0];
  }
}
