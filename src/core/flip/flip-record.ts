import type { ProfileName } from '../config/profile.js';
import type { Drain } from '../delivery/drain.js';
import type { Refusal } from '../errors.js';
import type { Counters } from '../metrics/counters.js';
import type { Flip, FlipError, FlipOrigin, FlipState } from './flip-report.js';
import { type FlippedClients, NO_SESSIONS } from './flipped-clients.js';

/** What is known of a flip from its beginning. */
export type FlipFacts = FlipOrigin & {
  readonly id: number;
  readonly from: ProfileName;
  readonly to: ProfileName;
  readonly startedAt: number;
};

/** One flip as it goes on. */
export class FlipRecord {
  /** When it began, ms since the epoch. */
  readonly startedAt: number;
  readonly #facts: FlipFacts;
  readonly #counters: Counters;
  #state: FlipState = 'switching';
  #clients: FlippedClients | undefined;
  #drain: Drain | undefined;
  #error: FlipError | null = null;

  /** Counts `flips` by how they end. */
  constructor(facts: FlipFacts, counters: Counters) {
    this.startedAt = facts.startedAt;
    this.#facts = facts;
    this.#counters = counters;
  }

  get state(): FlipState {
    return this.#state;
  }

  /** The profile is served; `drain` disconnects these clients. */
  moves(clients: FlippedClients, drain: Drain): void {
    this.#state = 'draining';
    this.#clients = clients;
    this.#drain = drain;
  }

  /** All is done. */
  end(): void {
    this.#finish('done');
  }

  /** Nothing has changed; says why. */
  fail({ code, message }: Refusal): void {
    this.#state = 'failed';
    this.#counters.add('flips', 'failed');
    this.#error = { code, message };
  }

  /** Another flip takes its place: clients that have not been moved are that one's. */
  supersede(): void {
    if (this.#state !== 'draining') return;
    this.#drain?.stop();
    this.#finish('superseded');
  }

  /** From now on clients that come back do so for other reasons. */
  settle(): void {
    this.#clients?.settle();
  }

  /** As it is told. */
  toReport(): Flip {
    const sessions = this.#clients?.report() ?? NO_SESSIONS;
    return { ...this.#facts, state: this.#state, sessions, error: this.#error };
  }

  /** The drain knows all sessions it has ended, which nobody else does any more. */
  #finish(state: 'done' | 'superseded'): void {
    this.#state = state;
    this.#counters.add('flips', state);
    this.#clients?.end();
    this.#drain = undefined;
  }
}
