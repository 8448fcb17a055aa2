import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';

/** Lines of a process's errors that are kept. */
const LINES = 200;

const running = new Set<ChildProcess>();
// However this process ends by itself, be it in the middle of something, nothing of it stays behind.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A process of its own, which ends with this one. */
export class Child {
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;
  #lines: string[] = [];

  /** Starts `program`; its working folder is `folder`, its environment `env` alone. */
  constructor(program: string, args: readonly string[], { folder, env }: ChildSurroundings) {
    this.#process = spawn(program, args, { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] });
    running.add(this.#process);
    this.#exited = once(this.#process, 'exit').catch((error: unknown) => {
      this.#lines.push(String(error));
    });
    void this.#exited.then(() => running.delete(this.#process));
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#lines = [...this.#lines, ...text.split('\n').filter((line) => line !== '')].slice(-LINES);
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get isRunning(): boolean {
    const { pid, exitCode, signalCode } = this.#process;
    return pid !== undefined && exitCode === null && signalCode === null;
  }

  /** The end of what it wrote to stderr. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Sends a signal; resolves with the exit code once it is gone, null where a signal ended it. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    if (this.isRunning) this.#process.kill(signal);
    await this.#exited;
    return this.#process.exitCode;
  }
}

/** Where a process runs. */
export interface ChildSurroundings {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
}
