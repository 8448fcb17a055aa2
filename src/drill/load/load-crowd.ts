import { fileURLToPath } from 'node:url';
import { Crew } from '../../rig/crew.js';
import type { Remains } from '../../rig/crew-messages.js';
import { sumOf } from './fault-tally.js';
import type {
  LoadAnswers,
  LoadPlan,
  LoadQuestion,
  Progress,
  Sample,
  StepFaults,
  StepStretches,
  Target,
} from './messages.js';

const PROGRAM = fileURLToPath(new URL('./load-process.js', import.meta.url));

/** All clients of a drill, in processes of their own. */
export class LoadCrowd {
  readonly #crew: Crew<LoadQuestion, LoadAnswers, Sample>;

  /** Starts the processes; `onSample` takes each sample of each of them, numbered from 0. */
  constructor(processes: number, onSample: (process: number, sample: Sample) => void) {
    this.#crew = new Crew(PROGRAM, processes, onSample);
  }

  /** Process ids. */
  get pids(): readonly number[] {
    return this.#crew.pids;
  }

  /** Has all clients connect, shared by the processes; resolves when the last has begun to. */
  async connect({ sdk, legacy, ...plan }: Omit<LoadPlan, 'first'>): Promise<void> {
    const share = (count: number, index: number): number => Math.floor((count * index) / this.#crew.size);
    await this.#crew.askEach((index) => ({
      ask: 'connect' as const,
      plan: {
        ...plan,
        first: share(Math.max(sdk, legacy), index),
        sdk: share(sdk, index + 1) - share(sdk, index),
        legacy: share(legacy, index + 1) - share(legacy, index),
      },
    }));
  }

  /** How many clients do not have the target. */
  async progress(target: Target): Promise<Progress> {
    const all = await this.#crew.askAll({ ask: 'progress' as const, target });
    const sum = (kind: keyof Progress) => ({
      away: all.reduce((total, one) => total + one[kind].away, 0),
      behind: all.reduce((total, one) => total + one[kind].behind, 0),
    });
    return { sdk: sum('sdk'), legacy: sum('legacy') };
  }

  /** Everything that is wrong with each step. */
  async faults(steps: readonly StepStretches[]): Promise<StepFaults[]> {
    const all = await this.#crew.askAll({ ask: 'faults' as const, steps });
    return steps.map((_, step) => ({
      sdk: sumOf(all.flatMap((one) => one[step]?.sdk ?? [])),
      legacy: sumOf(all.flatMap((one) => one[step]?.legacy ?? [])),
    }));
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
