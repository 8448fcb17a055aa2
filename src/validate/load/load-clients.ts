import { CLIENT_KINDS, type ClientKind } from '../client-kind.js';
import { Arrivals } from './arrivals.js';
import { LatencyTally } from './latency-tally.js';
import type { LoadClient, LoadClientParts } from './load-client.js';
import { owedAfter } from './load-shape.js';
import type { Collected, Collection, LoadPlan, Progress } from './messages.js';
import { PlainStreamClient } from './plain-stream-client.js';
import { Received } from './received.js';
import { SdkClient } from './sdk-client.js';
import { StockClient } from './stock-client.js';

/** Pause between two clients that begin, ms: how a crowd arrives at once is not what is measured. */
const PAUSE_MS = 4;

/** The clients of one load process. */
export class LoadClients {
  readonly #plan: LoadPlan;
  readonly #clients: LoadClient[] = [];
  readonly #arrivals: Readonly<Record<ClientKind, Arrivals>> = {
    legacy: new Arrivals(),
    bundle: new Arrivals(),
    sse: new Arrivals(),
  };

  constructor(plan: LoadPlan) {
    this.#plan = plan;
  }

  /** Has all clients connect, one after another; resolves when the last has begun to. */
  async connect(refused: (reason: string) => void): Promise<void> {
    const { server, run, shape, clients, first } = this.#plan;
    const kinds = CLIENT_KINDS.flatMap((kind) => Array.from({ length: clients[kind] }, () => kind));
    for (const [index, kind] of kinds.entries()) {
      const received = new Received((first + index) % shape.rooms, run, shape, this.#arrivals[kind]);
      this.#clients.push(connected(kind, { server, received, refused }));
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  /** How many lack what, when the first `upTo` events are published. */
  progress(upTo: number): Record<ClientKind, Progress> {
    const owed = owedAfter(this.#plan.shape, upTo);
    return byKind((kind) => {
      const own = this.#clients.filter((client) => client.kind === kind);
      const lacking = own.map(({ received }) => {
        const due = owed[received.room];
        return due === undefined ? 0 : received.lacks(due);
      });
      return {
        clients: own.length,
        away: own.filter(({ isThere }) => !isThere).length,
        behind: lacking.filter((missing) => missing > 0).length,
        missing: lacking.reduce((sum, missing) => sum + missing, 0),
      };
    });
  }

  /** How long what arrived was on its way. */
  collect(collection: Collection): Record<ClientKind, Collected> {
    return byKind((kind) => collected(this.#arrivals[kind], collection));
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }
}

function connected(kind: ClientKind, parts: LoadClientParts): LoadClient {
  if (kind === 'legacy') return new StockClient(kind, parts);
  if (parts.server.isGateway) return new SdkClient(kind, parts);
  return kind === 'bundle' ? new StockClient(kind, parts) : new PlainStreamClient(parts);
}

function byKind<T>(of: (kind: ClientKind) => T): Record<ClientKind, T> {
  return { legacy: of('legacy'), bundle: of('bundle'), sse: of('sse') };
}

function collected(arrivals: Arrivals, { from, begun, since, slotMs }: Collection): Collected {
  const all = new LatencyTally();
  const slots = new Map<number, LatencyTally>();
  arrivals.each((n, at) => {
    const start = begun[n - from];
    if (start === undefined) return;
    const slot = Math.max(0, Math.floor((at - since) / slotMs));
    const tally = slots.get(slot) ?? new LatencyTally();
    slots.set(slot, tally);
    tally.add(at - start);
    all.add(at - start);
  });
  return {
    latency: all.entries(),
    slots: [...slots].map(([slot, tally]) => [slot, tally.entries()] as const),
    uncounted: arrivals.uncounted,
  };
}
