import { fileURLToPath } from 'node:url';
import { Crew } from '../../rig/crew.js';
import type { Remains } from '../../rig/crew-messages.js';
import { CLIENT_KINDS, type ClientKind } from '../client-kind.js';
import { LatencyTally } from './latency-tally.js';
import type { Collection, LoadAnswers, LoadPlan, LoadQuestion, LoadSample, Progress } from './messages.js';

const PROGRAM = fileURLToPath(new URL('./load-process.js', import.meta.url));

/** What arrived at clients of one kind, all processes together. */
export interface KindArrivals {
  readonly latency: LatencyTally;
  /** By slot. */
  readonly slots: ReadonlyMap<number, LatencyTally>;
  readonly uncounted: number;
}

/** All clients of a load, in processes of their own, which serve one run after the other. */
export class LoadCrowd {
  readonly #crew: Crew<LoadQuestion, LoadAnswers, LoadSample>;
  #longestLagMs = 0;
  #refused: Record<string, number> = {};

  /** Starts so many processes. */
  constructor(processes: number) {
    this.#crew = new Crew(PROGRAM, processes, (_member, { lagMs, refused }: LoadSample) => {
      this.#longestLagMs = Math.max(this.#longestLagMs, lagMs);
      for (const [reason, times] of Object.entries(refused)) {
        this.#refused[reason] = (this.#refused[reason] ?? 0) + times;
      }
    });
  }

  /** The longest time that a process' own loop kept things waiting since the last call, ms. */
  takeLagMs(): number {
    const lagMs = this.#longestLagMs;
    this.#longestLagMs = 0;
    return lagMs;
  }

  /** Connections that ended and attempts that came to nothing since the clients began to connect, by reason. */
  get refused(): Readonly<Record<string, number>> {
    return this.#refused;
  }

  /** Has all clients connect, shared by the processes; resolves when the last has begun to. */
  async connect({ clients, ...plan }: Omit<LoadPlan, 'first'>): Promise<void> {
    this.#refused = {};
    const until = (kind: ClientKind, member: number): number =>
      Math.floor((clients[kind] * member) / this.#crew.size);
    await this.#crew.askEach((member) => {
      const share = (kind: ClientKind): number => until(kind, member + 1) - until(kind, member);
      const first = CLIENT_KINDS.reduce((sum, kind) => sum + until(kind, member), 0);
      const own = { legacy: share('legacy'), bundle: share('bundle'), sse: share('sse') };
      return { ask: 'connect' as const, plan: { ...plan, clients: own, first } };
    });
  }

  /** How many clients lack what, when the first `upTo` events are published. */
  async progress(upTo: number): Promise<Record<ClientKind, Progress>> {
    const all = await this.#crew.askAll({ ask: 'progress' as const, upTo });
    const sumOf = (kind: ClientKind): Progress => {
      const sum = (value: (one: Progress) => number): number =>
        all.reduce((total, one) => total + value(one[kind]), 0);
      return {
        clients: sum(({ clients }) => clients),
        away: sum(({ away }) => away),
        behind: sum(({ behind }) => behind),
        missing: sum(({ missing }) => missing),
      };
    };
    return { legacy: sumOf('legacy'), bundle: sumOf('bundle'), sse: sumOf('sse') };
  }

  /** How long what arrived was on its way. */
  async collect(collection: Collection): Promise<Record<ClientKind, KindArrivals>> {
    const all = await this.#crew.askAll({ ask: 'collect' as const, collection });
    const mergeOf = (kind: ClientKind): KindArrivals => {
      const latency = new LatencyTally();
      const slots = new Map<number, LatencyTally>();
      for (const { [kind]: one } of all) {
        latency.addAll(one.latency);
        for (const [slot, entries] of one.slots) {
          const tally = slots.get(slot) ?? new LatencyTally();
          slots.set(slot, tally);
          tally.addAll(entries);
        }
      }
      return { latency, slots, uncounted: all.reduce((sum, { [kind]: one }) => sum + one.uncounted, 0) };
    };
    return { legacy: mergeOf('legacy'), bundle: mergeOf('bundle'), sse: mergeOf('sse') };
  }

  /** Has all clients leave. */
  async disconnect(): Promise<void> {
    await this.#crew.askAll({ ask: 'disconnect' as const });
  }

  /** Says what to clear away should this process be killed. */
  mourn(remains: Remains): void {
    this.#crew.mourn(remains);
  }

  /** Ends all processes, and with them all connections; resolves when they are gone. */
  async close(): Promise<void> {
    await this.#crew.close();
  }
}
