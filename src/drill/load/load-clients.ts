import { CALM } from '../publish/drill-event.js';
import { tallyOf } from './fault-tally.js';
import { LegacyClient } from './legacy-client.js';
import type { LoadRecord } from './load-record.js';
import type { LoadPlan, Progress, Sample, StepFaults, StepStretches, Target } from './messages.js';
import { SdkClient } from './sdk-client.js';

/** Pause between two clients that begin, ms: a crowd that arrives at once is another rehearsal. */
const PAUSE_MS = 4;

/** The clients of one load process. */
export class LoadClients {
  readonly #plan: LoadPlan;
  readonly #record: LoadRecord;
  readonly #sdk: SdkClient[] = [];
  readonly #legacy: LegacyClient[] = [];

  constructor(plan: LoadPlan, record: LoadRecord) {
    this.#plan = plan;
    this.#record = record;
  }

  /** Has all clients connect, one after another; resolves when the last has begun to. */
  async connect(): Promise<void> {
    const { sdk, legacy, first, urls, ownAddresses } = this.#plan;
    for (let index = 0; index < Math.max(sdk, legacy); index += 1) {
      const turn = first + index;
      const from = turn % urls.length;
      const rotated = [...urls.slice(from), ...urls.slice(0, from)];
      // Where both transports are on, one half is on each, at each node.
      const prefer = Math.floor(turn / urls.length) % 2 === 0 ? 'sse' : 'websocket';
      if (index < sdk) this.#sdk.push(new SdkClient(rotated, prefer, this.#record));
      if (index < legacy) {
        const address = ownAddresses ? ownAddress(turn) : undefined;
        this.#legacy.push(new LegacyClient(rotated[0] ?? '', address, this.#record));
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  /** Clients that are connected. */
  connected(): Sample['connected'] {
    return {
      sse: this.#sdk.filter(({ transport }) => transport === 'sse').length,
      websocket: this.#sdk.filter(({ transport }) => transport === 'websocket').length,
      legacy: this.#legacy.filter(({ isConnected }) => isConnected).length,
    };
  }

  /** Clients that are not where `target` is. */
  progress({ upTo, values }: Target): Progress {
    const isBehind = (client: SdkClient): boolean =>
      [...client.streams].some(([name, stream]) => stream.next < (upTo[name] ?? 0)) ||
      client.values.behind(values).length > 0;
    return {
      sdk: {
        away: this.#sdk.filter(({ transport }) => transport === null).length,
        behind: this.#sdk.filter(isBehind).length,
      },
      legacy: {
        away: this.#legacy.filter(({ isConnected }) => !isConnected).length,
        behind: this.#legacy.filter(
          ({ calm, values: own }) => calm.next < (upTo[CALM] ?? 0) || own.behind(values).length > 0,
        ).length,
      },
    };
  }

  /** Everything that is wrong with each step, were nothing to come any more. */
  faults(steps: readonly StepStretches[]): StepFaults[] {
    const { first } = this.#plan;
    return steps.map((stretches) => ({
      sdk: tallyOf(this.#sdk, first, stretches),
      legacy: tallyOf(this.#legacy, first, stretches),
    }));
  }

  close(): void {
    for (const client of [...this.#sdk, ...this.#legacy]) client.close();
  }
}

/** One of the host's own addresses for each client: Linux has all of 127.0.0.0/8. */
function ownAddress(turn: number): string {
  return `127.1.${String(turn >> 8)}.${String(turn & 255)}`;
}
