import type { Command, Outcome } from '../command.js';
import type { Refusal } from '../errors.js';

/** The event that tells of a command's outcome. */
export interface OutcomeEvent {
  /** The event's type; with one of a command's own, a success carries the handler's result as its data. */
  readonly type: string;
  /** The room it goes to; undefined: the rooms of its type, else the default rooms. */
  readonly room: string | undefined;
}

/** How a command waits for its worker and is tried again; for those that this process executes, it says nothing. */
export interface Queueing {
  /** Which queue it waits in: 1–64 of `A-Z a-z 0-9 _ . -`. Whoever serves a queue executes all of its commands. */
  readonly queue: string;
  /** How often it is tried at most, with Redis, 1–10. */
  readonly attempts: number;
  /** ms before the second try, doubled before each further one. */
  readonly backoffMs: number;
}

/** What counts where an action says nothing of its own. */
export const DEFAULT_QUEUEING: Queueing = { queue: 'commands', attempts: 1, backoffMs: 1000 };

/** What the gate and the queues know of an action, besides its handler. */
export interface CommandSpec extends Queueing {
  /** `target.verb`: 1–128 of `A-Z a-z 0-9 _ . : -`. */
  readonly action: string;
  /** ms a handler may run, 1–3,600,000; the wait in the queue is not part of it. */
  readonly timeoutMs: number;
  /** Who asks for it needs the right to the command `role:<role>` too; undefined: the action's name alone decides. */
  readonly role: string | undefined;
  /** The event its outcome is told by; null: none. */
  readonly publishes: OutcomeEvent | null;
  /** Who runs it: a worker outside the event loop, or, for what steers this very process, this process. */
  readonly where: 'worker' | 'local';
}

/** The receipt for a command that a queue has taken. */
export interface Receipt {
  /**
   * How the command ended. Resolves exactly once, whatever happens to the worker: one that dies or hangs is a failed
   * outcome. A queue of this process that closes first fails what it holds; of one that outlives the process, the
   * outcome is then for others to hear. Never rejects.
   */
  readonly outcome: Promise<Outcome>;
}

/**
 * Where commands wait until somebody executes them.
 *
 * `offer` resolves once the queue holds the command (for a queue in another process: once that one has said so),
 * so that what is answered with a receipt is not lost. A refusal means the command was not taken and never ran:
 * `queue_full`, with the time after which to try again, `queue_unavailable`, or `shutting_down`. Backpressure is that refusal: `offer`
 * never waits for room.
 */
export interface CommandQueue {
  offer(command: Command, spec: CommandSpec): Promise<Receipt | Refusal>;
  /** Takes nothing more, lets what runs end within the queue's own deadline, and frees everything. Idempotent. */
  close(): Promise<void>;
}
