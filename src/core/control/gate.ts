import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.js';
import { type Command, type CommandState, failedWith, type Outcome, type Principal } from '../command.js';
import { Refusal } from '../errors.js';
import { isTypeName } from '../event.js';
import type { Logger } from '../logger.js';
import type { Counters } from '../metrics/counters.js';
import type { CommandQueue, CommandSpec, Receipt } from './command-queue.js';
import type { CommandRegistry } from './command-registry.js';
import { type Claim, type CommandRecord, CommandStore, claimOf, stateOf } from './command-store.js';
import { OutcomePublisher, type Publish } from './outcome-publisher.js';
import type { RateLimit } from './rate-limit.js';
import { within } from './within.js';

/** Says whether a principal may ask for an action: true, or why not. */
export type Authorise = (principal: Principal, action: string) => true | Refusal;

/** What a {@link CommandGate} is made of. */
export interface CommandGateOptions {
  readonly registry: CommandRegistry;
  /** Closed by {@link CommandGate.close}. */
  readonly queue: CommandQueue;
  /** Counts by principal id. */
  readonly rateLimit: RateLimit;
  readonly publish: Publish;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
  /** ms that `submit` waits for an outcome before it answers `queued`; `CONTROL_WAIT_MS`. */
  readonly controlWaitMs: number;
  /** Default: everybody may do everything. */
  readonly authorise?: Authorise;
  /** Makes a command's id, which nobody can guess: who knows it may read the outcome. Default: a random UUID. */
  readonly newId?: () => string;
}

/** What a client asks for. */
export interface CommandRequest {
  /** As it came; checked here. */
  readonly action: unknown;
  /** Any JSON value; undefined is null. */
  readonly data?: unknown;
  readonly principal: Principal;
  /** 1–255 printable ASCII characters: asking again with the same one gives the first command's outcome. */
  readonly idempotencyKey?: string | undefined;
}

/** ms that `close` waits for publications that hang. */
const PUBLISH_CLOSE_MS = 2000;

/**
 * The one way in for commands: authorise → rate-limit → idempotency → queue. It executes nothing itself.
 *
 * A request that repeats an idempotency key gets the first command's state or outcome, joins it while it still runs,
 * and does not count against the rate: a client that lost an answer must be able to get it, however often it asks.
 * A request that was refused is forgotten, key and all, and may be made again.
 *
 * Counts: `commands` by how they ended, `command_refusals` by code, `command_replays`, `command_publish_failures`.
 */
export class CommandGate {
  readonly #options: CommandGateOptions;
  readonly #store: CommandStore;
  readonly #outcomes: OutcomePublisher;
  readonly #unfinished = new Set<Promise<void>>();
  #closed: Promise<void> | undefined;

  constructor(options: CommandGateOptions) {
    this.#options = options;
    this.#store = new CommandStore(options.clock);
    this.#outcomes = new OutcomePublisher(options);
  }

  /** How many commands were taken and have not ended. */
  get open(): number {
    return this.#store.open;
  }

  /**
   * Takes a command. Resolves to its outcome if that is there within `controlWaitMs`, else to the state `queued`;
   * to a refusal when the command was not taken: `invalid_action`, `unknown_action`, whatever `authorise` refuses with,
   * `rate_limited`, `bad_request` (the key), `invalid_data`, `idempotency_mismatch`, `queue_full`, `shutting_down`.
   */
  async submit(request: CommandRequest): Promise<CommandState | Refusal> {
    const record = await this.#enter(request);
    if (record instanceof Refusal) return this.#refused(record);
    const answer = await record.accepted;
    if (answer instanceof Refusal) return this.#refused(answer);
    const { clock, controlWaitMs } = this.#options;
    if (record.outcome === undefined) await within(clock, controlWaitMs, record.ended);
    return stateOf(record);
  }

  /** The state of a command by its id: for an hour after it ended, then `unknown_command`. */
  state(id: string): CommandState | Refusal {
    const record = this.#store.find(id);
    return record === undefined
      ? new Refusal('unknown_command', 'no such command, or no longer')
      : stateOf(record);
  }

  /**
   * Refuses what comes from now on, closes the queue, and resolves when every command that was taken has ended and
   * its outcome has been published (2 s at most for the latter). Idempotent.
   */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  #refused(refusal: Refusal): Refusal {
    this.#options.counters.add('command_refusals', refusal.code);
    return refusal;
  }

  async #enter(request: CommandRequest): Promise<CommandRecord | Refusal> {
    const spec = this.#check(request);
    if (spec instanceof Refusal) return spec;
    const { principal, idempotencyKey, data } = request;
    const claim =
      idempotencyKey === undefined ? undefined : claimOf(principal.id, idempotencyKey, spec.action, data);
    if (claim instanceof Refusal) return claim;
    const known = this.#recall(claim);
    if (known !== undefined) return known;
    const allowed = await this.#options.rateLimit.take(principal.id);
    if (allowed instanceof Refusal) return allowed;
    // While the limit was asked, another request with the same key may have come through, or the gate been closed.
    if (this.#closed !== undefined) return stopping();
    return this.#recall(claim) ?? this.#start(request, spec, claim);
  }

  #check({ action, principal }: CommandRequest): CommandSpec | Refusal {
    if (this.#closed !== undefined) return stopping();
    if (!isTypeName(action)) {
      return new Refusal('invalid_action', 'action must be 1–128 of A-Z a-z 0-9 _ . : -');
    }
    const allowed = this.#options.authorise?.(principal, action) ?? true;
    if (allowed instanceof Refusal) return allowed;
    return (
      this.#options.registry.find(action) ?? new Refusal('unknown_action', `no command is called ${action}`)
    );
  }

  #recall(claim: Claim | undefined): CommandRecord | Refusal | undefined {
    const known = claim === undefined ? undefined : this.#store.recall(claim);
    if (known !== undefined && !(known instanceof Refusal)) this.#options.counters.add('command_replays');
    return known;
  }

  #start({ data, principal }: CommandRequest, spec: CommandSpec, claim: Claim | undefined): CommandRecord {
    const id = (this.#options.newId ?? randomUUID)();
    const { action } = spec;
    const accepted = this.#offer({ id, action, data: data ?? null, principal }, spec);
    const ended = this.#follow(id, accepted);
    const told = this.#tell(ended, spec);
    this.#unfinished.add(told);
    void told.finally(() => this.#unfinished.delete(told));
    const record: CommandRecord = { id, action, accepted, ended, claim, outcome: undefined };
    this.#store.add(record);
    return record;
  }

  async #offer(command: Command, spec: CommandSpec): Promise<Receipt | Refusal> {
    let answer: Receipt | Refusal | undefined;
    try {
      answer = await this.#options.queue.offer(command, spec);
    } finally {
      // Thrown or refused: it was not taken, and the same key may be used again.
      if (answer === undefined || answer instanceof Refusal) this.#store.forget(command.id);
    }
    return answer;
  }

  async #follow(id: string, accepted: Promise<Receipt | Refusal>): Promise<CommandState | undefined> {
    // What offering throws is the submitter's to hear.
    const answer = await accepted.catch(() => undefined);
    if (answer === undefined || answer instanceof Refusal) return undefined;
    const [outcome, size] = measured(await answer.outcome);
    this.#options.counters.add('commands', outcome.status);
    return stateOf(this.#store.end(id, outcome, size));
  }

  async #tell(ended: Promise<CommandState | undefined>, spec: CommandSpec): Promise<void> {
    const state = await ended;
    if (state !== undefined) await this.#outcomes.announce(state, spec);
  }

  async #end(): Promise<void> {
    const { queue, clock } = this.#options;
    await queue.close();
    await within(clock, PUBLISH_CLOSE_MS, Promise.all(this.#unfinished));
  }
}

/** The outcome and its length as JSON text. A queue that lets through what JSON cannot carry must not break the gate. */
function measured(outcome: Outcome): [Outcome, number] {
  try {
    return [outcome, JSON.stringify(outcome).length];
  } catch {
    return [failedWith(new Refusal('command_failed', 'the result cannot be written as JSON')), 0];
  }
}

function stopping(): Refusal {
  return new Refusal('shutting_down', 'the gateway is stopping', 1000);
}
