import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { cpuSeconds } from '../../rig/cpu-times.js';
import type { ClientKind } from '../client-kind.js';
import type { LoadServer } from '../load/messages.js';
import type { Subject } from '../subject/subject.js';

const PROGRAM = fileURLToPath(new URL('./baseline-server.js', import.meta.url));

/** The server with one emit per event, as a process of its own; it ends with this one. */
export class Baseline implements Subject {
  readonly server: LoadServer;
  readonly kinds: readonly ClientKind[];
  readonly latencyFrom = 'sending';
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess, port: number, kinds: readonly ClientKind[]) {
    this.#process = child;
    this.kinds = kinds;
    this.server = { url: `http://127.0.0.1:${String(port)}`, token: undefined, isGateway: false };
  }

  /** Starts one; resolves once it listens. Rejects where it ends before. */
  static async start(kinds: readonly ClientKind[]): Promise<Baseline> {
    const child = fork(PROGRAM, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] });
    const ended = once(child, 'exit').then(() => {
      throw new Error('the server with one emit per event ended at its start');
    });
    const [said] = (await Promise.race([once(child, 'message'), ended])) as [{ port: number }];
    ended.catch(() => undefined);
    return new Baseline(child, said.port, kinds);
  }

  /** From the system where that tells, else from the process itself. */
  async cpuSeconds(): Promise<number> {
    const told = cpuSeconds(this.#process.pid ?? 0);
    if (told !== undefined) return told;
    const answer = once(this.#process, 'message') as Promise<[{ cpuSeconds: number }]>;
    this.#process.send({});
    return (await answer)[0].cpuSeconds;
  }

  trouble(): string | undefined {
    const { exitCode, signalCode } = this.#process;
    return exitCode === null && signalCode === null
      ? undefined
      : `the server with one emit per event ended by itself (${String(exitCode ?? signalCode)})`;
  }

  /** Resolves when it is gone. */
  async close(): Promise<void> {
    if (this.trouble() !== undefined) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
  }
}
