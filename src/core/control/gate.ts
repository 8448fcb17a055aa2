import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.js';
import type { Caller } from '../auth/caller.js';
import { blockId, BY_ADDRESS } from '../auth/principal-id.js';
import type { CommandState } from '../command.js';
import { Refusal } from '../errors.js';
import { isTypeName } from '../event.js';
import { claimOf } from './claim.js';
import type { CommandJournal } from './command-journal.js';
import type { CommandSpec } from './command-queue.js';
import type { CommandRegistry } from './command-registry.js';
import type { AskedCommand, CommandStore, CommandSummary, TakenCommand } from './command-store.js';
import type { RateLimit } from './rate-limit.js';
import { NO_TRACING, type Tracing } from '../tracing.js';
import { within } from '../within.js';

/** What a {@link CommandGate} is made of. */
export interface CommandGateOptions {
  readonly registry: CommandRegistry;
  /** Where commands go. Closed by {@link CommandGate.close}. */
  readonly store: CommandStore;
  /** Counts by {@link blockId} of the principal. */
  readonly rateLimit: RateLimit;
  readonly clock: Clock;
  /** Where what is asked for is written down. */
  readonly journal: CommandJournal;
  /** Where it is traced that a command was queued. Default: nowhere. */
  readonly tracing?: Tracing;
  /** ms that `submit` waits for an outcome before it answers `queued`; `CONTROL_WAIT_MS`. */
  readonly controlWaitMs: number;
  /** Makes a command's id, which nobody can guess. Default: a random UUID. */
  readonly newId?: () => string;
}

/** What a client asks for. */
export interface CommandRequest {
  /** As it came; checked here. */
  readonly action: unknown;
  /** Any JSON value; undefined is null. */
  readonly data?: unknown;
  /** Who asks: its rights decide. */
  readonly principal: Caller;
  /** Where the request comes from, for the log. */
  readonly address?: string | undefined;
  /** 1–255 printable ASCII characters: asking again with the same one gives the first command's outcome. */
  readonly idempotencyKey?: string | undefined;
  /** Id of the request that brings it, for the log. */
  readonly request?: string | undefined;
  /** The span of that request, as `traceparent`. */
  readonly traceparent?: string | undefined;
}

/**
 * The one way in for commands: authorise → idempotency → rate-limit → store. It executes nothing itself.
 *
 * A request that repeats an idempotency key gets the first command's state or outcome, joins it while it still runs,
 * and does not count against the rate: a client that lost an answer must be able to get it, however often it asks.
 */
export class CommandGate {
  readonly #options: CommandGateOptions;
  #closed: Promise<void> | undefined;

  constructor(options: CommandGateOptions) {
    this.#options = options;
  }

  /** How many commands were taken here and have not ended, as far as this process knows. */
  get open(): number {
    return this.#options.store.open;
  }

  /**
   * Takes a command. Resolves to its outcome if that is there within `controlWaitMs`, else to the state `queued`;
   * to a refusal when the command was not taken: `invalid_action`, `forbidden`, `unknown_action`,
   * `rate_limited`, `bad_request` (the key), `invalid_data`, `idempotency_mismatch`, `queue_full`, `queue_unavailable`,
   * `shutting_down`.
   */
  async submit(request: CommandRequest): Promise<CommandState | Refusal> {
    const { clock, journal, controlWaitMs } = this.#options;
    const { action, principal, address } = request;
    const journalled = { request: request.request, action, principal, address };
    const taken = await this.#enter(request);
    if (taken instanceof Refusal) {
      journal.refused(taken, journalled);
      return taken;
    }
    const { id } = taken.state();
    if (taken.replayed) journal.replayed(id, journalled);
    else journal.taken(id, journalled);
    if (taken.state().status === 'queued') await within(clock, controlWaitMs, taken.ended);
    return taken.state();
  }

  /**
   * The state of a command by its id: for an hour after it ended, then `unknown_command`. So it is for everybody `by` whom it was not
   * asked for, unless they have the right `status`; an anonymous command is any anonymous caller's that knows its id.
   */
  async state(id: string, by: Caller): Promise<CommandState | Refusal> {
    const found = await this.#options.store.find(id);
    if (found instanceof Refusal) return found;
    const isOwn = by.isKnown ? found.principal === by.id : found.principal.startsWith(BY_ADDRESS);
    if (isOwn || by.rights.mayAdminister('status')) return found.state;
    return new Refusal('unknown_command', 'no such command, or no longer');
  }

  /** The newest commands, newest first, at most `limit` (1–200): of this process, and with Redis of all. */
  recent(limit: number): Promise<readonly CommandSummary[] | Refusal> {
    return this.#options.store.recent(limit);
  }

  /** Refuses what comes from now on and closes the store. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#options.store.close();
    return this.#closed;
  }

  async #enter(request: CommandRequest): Promise<TakenCommand | Refusal> {
    const asked = this.#check(request);
    if (asked instanceof Refusal) return asked;
    const { store, rateLimit } = this.#options;
    const known = await store.recall(asked);
    if (known !== undefined) return known;
    const allowed = await rateLimit.take(blockId(request.principal.id));
    if (allowed instanceof Refusal) return allowed;
    // While the limit was asked, the gate may have been closed.
    return this.#closed === undefined ? this.#take(asked, request) : stopping();
  }

  async #take(asked: AskedCommand, { traceparent }: CommandRequest): Promise<TakenCommand | Refusal> {
    const { store, tracing = NO_TRACING } = this.#options;
    const { id, action } = asked.command;
    const attributes = { 'flipgate.command.id': id, 'flipgate.command.action': action };
    const span = tracing.begin('queue', { kind: 'producer', parent: traceparent, attributes });
    const command = { ...asked.command, traceparent: span.traceparent };
    const taken = await store.take({ ...asked, command });
    span.end({ failed: taken instanceof Refusal ? taken.code : undefined });
    return taken;
  }

  #check({ action, data = null, principal, idempotencyKey }: CommandRequest): AskedCommand | Refusal {
    const spec = this.#find(principal, action);
    if (spec instanceof Refusal) return spec;
    const claim =
      idempotencyKey === undefined ? undefined : claimOf(principal.id, idempotencyKey, spec.action, data);
    if (claim instanceof Refusal) return claim;
    const id = (this.#options.newId ?? randomUUID)();
    return { command: { id, action: spec.action, data, principal: { id: principal.id } }, spec, claim };
  }

  #find({ rights }: Caller, action: unknown): CommandSpec | Refusal {
    if (this.#closed !== undefined) return stopping();
    if (action === undefined || action === null) {
      return new Refusal(
        'invalid_action',
        'action is missing: name the command, 1–128 of A-Z a-z 0-9 _ . : -',
      );
    }
    if (!isTypeName(action)) {
      return new Refusal('invalid_action', 'action must be 1–128 of A-Z a-z 0-9 _ . : -');
    }
    const spec = this.#options.registry.find(action);
    // Who may not ask for it is not told whether there is such a command.
    if (!rights.mayCommand(action) || (spec?.role !== undefined && !rights.mayCommand(`role:${spec.role}`))) {
      return new Refusal('forbidden', `the command ${action} may not be asked for`);
    }
    return spec ?? new Refusal('unknown_action', `no command is called ${action}`);
  }
}

function stopping(): Refusal {
  return new Refusal('shutting_down', 'the gateway is stopping', 1000);
}
