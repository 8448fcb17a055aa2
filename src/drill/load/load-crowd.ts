import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { sumOf } from './fault-tally.js';
import type {
  LoadAnswers,
  LoadMessage,
  LoadPlan,
  LoadQuestion,
  LoadRequest,
  Progress,
  Remains,
  Sample,
  StepFaults,
  StepStretches,
  Target,
} from './messages.js';

const PROGRAM = fileURLToPath(new URL('./load-process.js', import.meta.url));

/** All clients of a drill, in processes of their own. */
export class LoadCrowd {
  readonly #children: readonly ChildProcess[];
  readonly #waiting = new Map<number, { resolve: (answer: never) => void; reject: (error: Error) => void }>();
  #lastId = 0;
  #isClosing = false;

  /** Starts the processes; `onSample` takes each sample of each of them, numbered from 0. */
  constructor(processes: number, onSample: (process: number, sample: Sample) => void) {
    this.#children = Array.from({ length: processes }, (_, index) =>
      this.#start((sample) => {
        onSample(index, sample);
      }),
    );
  }

  /** Process ids. */
  get pids(): readonly number[] {
    return this.#children.flatMap(({ pid }) => pid ?? []);
  }

  /** Has all clients connect, shared by the processes; resolves when the last has begun to. */
  async connect({ sdk, legacy, ...plan }: Omit<LoadPlan, 'first'>): Promise<void> {
    const share = (count: number, index: number): number =>
      Math.floor((count * index) / this.#children.length);
    await Promise.all(
      this.#children.map((child, index) => {
        const own: LoadPlan = {
          ...plan,
          first: share(Math.max(sdk, legacy), index),
          sdk: share(sdk, index + 1) - share(sdk, index),
          legacy: share(legacy, index + 1) - share(legacy, index),
        };
        return this.#ask(child, { ask: 'connect', plan: own });
      }),
    );
  }

  /** How many clients do not have the target. */
  async progress(target: Target): Promise<Progress> {
    const all = await Promise.all(
      this.#children.map((child) => this.#ask(child, { ask: 'progress', target })),
    );
    const sum = (kind: keyof Progress) => ({
      away: all.reduce((total, one) => total + one[kind].away, 0),
      behind: all.reduce((total, one) => total + one[kind].behind, 0),
    });
    return { sdk: sum('sdk'), legacy: sum('legacy') };
  }

  /** Everything that is wrong with each step. */
  async faults(steps: readonly StepStretches[]): Promise<StepFaults[]> {
    const all = await Promise.all(this.#children.map((child) => this.#ask(child, { ask: 'faults', steps })));
    return steps.map((_, step) => ({
      sdk: sumOf(all.flatMap((one) => one[step]?.sdk ?? [])),
      legacy: sumOf(all.flatMap((one) => one[step]?.legacy ?? [])),
    }));
  }

  /** Says what to clear away should this process be killed. */
  mourn(remains: Remains): void {
    for (const child of this.#children) send(child, { mourn: remains });
  }

  /** Ends all processes, and with them all connections; resolves when they are gone. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const exited = once(child, 'exit');
        child.kill('SIGKILL');
        await exited;
      }),
    );
  }

  #start(onSample: (sample: Sample) => void): ChildProcess {
    const child = fork(PROGRAM, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] });
    child.on('message', (message: LoadMessage) => {
      if ('sample' in message) {
        onSample(message.sample);
        return;
      }
      this.#waiting.get(message.answerTo)?.resolve(message.answer as never);
      this.#waiting.delete(message.answerTo);
    });
    child.on('exit', (code, signal) => {
      if (this.#isClosing) return;
      const error = new Error(`a load process ended by itself (${String(code ?? signal)})`);
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
    return child;
  }

  #ask<Question extends LoadQuestion>(
    child: ChildProcess,
    question: Question,
  ): Promise<LoadAnswers[Question['ask']]> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      if (!child.connected) {
        reject(new Error('a load process is gone'));
        return;
      }
      this.#waiting.set(id, { resolve, reject });
      send(child, { id, question });
    });
  }
}

function send(child: ChildProcess, request: LoadRequest): void {
  if (child.connected) child.send(request);
}
