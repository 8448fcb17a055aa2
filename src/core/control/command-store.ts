import type { Command, CommandState } from '../command.js';
import type { ErrorBody, Refusal } from '../errors.js';
import type { Claim } from './claim.js';
import type { CommandSpec } from './command-queue.js';

/** A request that was found good, as a store is asked to take it. */
export interface AskedCommand {
  /** With an id of its own; where the claim is known, that of the first request counts. */
  readonly command: Command;
  readonly spec: CommandSpec;
  /** Under which key it may be asked for again; undefined: under none. */
  readonly claim: Claim | undefined;
}

/** A command that was taken, now or by an earlier request with the same claim. */
export interface TakenCommand {
  /** True when an earlier request had it taken. */
  readonly replayed: boolean;
  /** Resolves once {@link state} tells how it ended; may never do so. Never rejects. */
  readonly ended: Promise<unknown>;
  /** Its state, as far as this process knows it now. */
  state(): CommandState;
}

/** A command that was found by its id. */
export interface FoundCommand {
  readonly state: CommandState;
  /** The id of the principal whose command it is; `unknown` where its record says nothing that makes sense. */
  readonly principal: string;
}

/** A command as operators see it in a list: nothing of its data, its result or who asked. */
export interface CommandSummary {
  readonly id: string;
  readonly action: string;
  readonly status: CommandState['status'];
  /** When it was taken, epoch ms. */
  readonly at: number;
  /** From then until it ended, the wait in the queue included, ms; absent before that. */
  readonly durationMs?: number;
  /** How it failed; absent where it did not. */
  readonly error?: ErrorBody['error'];
}

/**
 * Where commands are from being taken until they are forgotten: has them executed, knows under which keys they may be
 * asked for again and how they ended, and sees to it that outcomes are published, each once.
 */
export interface CommandStore {
  /** How many commands were taken here whose end this process does not know yet. */
  readonly open: number;
  /**
   * The command that was first asked for under this claim; undefined when it is new, or there is none;
   * `idempotency_mismatch` when it was for something else.
   */
  recall(asked: AskedCommand): Promise<TakenCommand | Refusal | undefined>;
  /**
   * Takes a command, or joins the one that another request with this claim brought in meanwhile. A refusal is one of
   * the queue's, or `queue_unavailable`: then asking again with the same key never executes it twice.
   */
  take(asked: AskedCommand): Promise<TakenCommand | Refusal>;
  /** A command and whose it is; `unknown_command` when there is none, or no longer. */
  find(id: string): Promise<FoundCommand | Refusal>;
  /** The newest commands, newest first, at most `limit` (1–200); `queue_unavailable` when that can't be said now. */
  recent(limit: number): Promise<readonly CommandSummary[] | Refusal>;
  /** Takes nothing more; resolves once everything is as safe as it gets. Idempotent. */
  close(): Promise<void>;
}
