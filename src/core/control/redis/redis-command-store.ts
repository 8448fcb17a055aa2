import type { Outcome } from '../../command.js';
import { Refusal } from '../../errors.js';
import type { BullQueue } from './bull-queue.js';
import type {
  AskedCommand,
  CommandStore,
  CommandSummary,
  FoundCommand,
  TakenCommand,
} from '../command-store.js';
import type { AwaitedOutcomes } from './awaited-outcomes.js';
import type { IdempotencyKeys, KnownClaim } from './idempotency-keys.js';

/** What a {@link RedisCommandStore} is made of. */
export interface RedisCommandStoreOptions {
  /** Closed with the store. */
  readonly queue: BullQueue;
  readonly keys: IdempotencyKeys;
  readonly awaited: AwaitedOutcomes;
}

/** The ids that gates give; others may be names of Redis keys that are no command's. */
const COMMAND_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Commands that all nodes share. An idempotency key is kept together with the id of its command before that is queued,
 * and whoever comes with the key again offers the same id again: a gateway may die at any point between, and the command
 * is executed once. A key stays with what was asked under it, also where the queue refused that.
 */
export class RedisCommandStore implements CommandStore {
  readonly #options: RedisCommandStoreOptions;

  constructor(options: RedisCommandStoreOptions) {
    this.#options = options;
  }

  get open(): number {
    return this.#options.awaited.size;
  }

  async recall(asked: AskedCommand): Promise<TakenCommand | Refusal | undefined> {
    const { claim } = asked;
    const { queue, keys } = this.#options;
    await queue.ready();
    const known = claim === undefined ? undefined : await keys.find(claim);
    return known === undefined || known instanceof Refusal ? known : this.#resume(asked, known);
  }

  async take(asked: AskedCommand): Promise<TakenCommand | Refusal> {
    const { claim, command } = asked;
    if (claim === undefined) return this.#offer(asked, false);
    const known = await this.#options.keys.claim(claim, command.id);
    if (known instanceof Refusal) return known;
    return known.id === command.id ? this.#offer(asked, false) : this.#resume(asked, known);
  }

  async find(id: string): Promise<FoundCommand | Refusal> {
    const found = COMMAND_ID.test(id) ? await this.#options.queue.find(id) : undefined;
    if (found instanceof Refusal) return found;
    if (found === undefined) return new Refusal('unknown_command', 'no such command, or no longer');
    const { action, principal, outcome } = found;
    return { state: { id, action, ...(outcome ?? { status: 'queued' }) }, principal };
  }

  /** Of all nodes, and whatever else is in their queues. */
  recent(limit: number): Promise<readonly CommandSummary[] | Refusal> {
    return this.#options.queue.newest(limit);
  }

  /** What was taken stays queued, and its outcome is others' to publish. */
  close(): Promise<void> {
    return this.#options.queue.close();
  }

  /** Goes on with the command of an earlier request. */
  async #resume(asked: AskedCommand, { id, taken }: KnownClaim): Promise<TakenCommand | Refusal> {
    const { queue, awaited } = this.#options;
    const { action } = asked.command;
    // Waited for before it is looked for: it may end at any time.
    const ending = awaited.of(id);
    const found = await queue.find(id);
    if (found instanceof Refusal) return found;
    if (found !== undefined) return this.#taken({ id, action, ending, known: found.outcome, replayed: true });
    if (!taken) return this.#offer({ ...asked, command: { ...asked.command, id } }, true);
    awaited.forget(id);
    return new Refusal('unknown_command', 'the command of this Idempotency-Key ended and was forgotten');
  }

  async #offer({ command, spec, claim }: AskedCommand, replayed: boolean): Promise<TakenCommand | Refusal> {
    const { queue, keys } = this.#options;
    const { id, action } = command;
    const receipt = await queue.offer(command, spec);
    if (receipt instanceof Refusal) return receipt;
    if (claim !== undefined) await keys.markTaken(claim, id);
    // Another node may have offered it as well, and it may have ended before this one listened.
    const found = replayed ? await queue.find(id) : undefined;
    const known = found instanceof Refusal ? undefined : found?.outcome;
    return this.#taken({ id, action, ending: receipt.outcome, known, replayed });
  }

  #taken({ id, action, ending, known, replayed }: Ending): TakenCommand {
    let outcome = known;
    if (known !== undefined) this.#options.awaited.settle(id, known);
    const ended = ending.then((told) => (outcome = told));
    return { replayed, ended, state: () => ({ id, action, ...(outcome ?? { status: 'queued' }) }) };
  }
}

/** A command and how it ends. */
interface Ending {
  readonly id: string;
  readonly action: string;
  readonly ending: Promise<Outcome>;
  /** How it ended, where that is known already. */
  readonly known: Outcome | undefined;
  readonly replayed: boolean;
}
