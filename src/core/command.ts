import type { ErrorBody, Refusal } from './errors.js';

/** Who asks: as rate limits, rights and logs see a client. Without authentication, its address. */
export interface Principal {
  /** Stable while the client is the same, e.g. `address:127.0.0.1`. Holds no secret. */
  readonly id: string;
}

/** A client's request that a worker executes. */
export interface Command {
  /** Unique, given by the gate. */
  readonly id: string;
  /** `target.verb`: 1–128 of `A-Z a-z 0-9 _ . : -`. */
  readonly action: string;
  /** Any JSON value; null when the client sent none. */
  readonly data: unknown;
  readonly principal: Principal;
  /** The span that had it queued, as `traceparent`; undefined where it is part of no trace. */
  readonly traceparent?: string | undefined;
}

/** How a command ended. */
export type Outcome =
  | { readonly status: 'succeeded'; readonly result: unknown }
  | { readonly status: 'failed'; readonly error: ErrorBody['error'] };

/** A command's state as clients see it: over HTTP, in acks and in outcome events. */
export type CommandState = { readonly id: string; readonly action: string } & (
  | { readonly status: 'queued' }
  | Outcome
);

/** A refusal as the failed outcome of a command that had already been taken. */
export function failedWith(refusal: Refusal): Outcome {
  return { status: 'failed', error: refusal.toBody().error };
}
