import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { environment, type LaunchedGateway, launchGateway, ROOT, running } from './launched-gateway.js';

/** A worker as a process of its own. */
export interface LaunchedWorker {
  readonly process: ChildProcess;
  /** What it wrote to stderr so far. */
  output(): string;
  /** The messages it logged about the command with this id, in order. */
  told(id: string): string[];
  /** Sends SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

/** `flipgate worker`. */
const WORKER = [path.join(ROOT, 'dist/cli.js'), 'worker'];

/** A worker of the class that `flipgate worker` runs, which finds out sooner that another one died. */
export const QUICK_WORKER = [path.join(ROOT, 'test/support/quick-worker.mjs')];

/**
 * Starts `flipgate worker` (or other `args`) with the handlers of `test/support/commands.mjs` and waits until it works.
 * Ended by `killLaunched` at the latest.
 */
export async function launchWorker(
  variables: Record<string, string | undefined>,
  args: readonly string[] = WORKER,
): Promise<LaunchedWorker> {
  const child = spawn(process.execPath, args, {
    env: environment({ COMMANDS_MODULE: 'test/support/commands.mjs', ...variables }),
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  running.add(child);
  const exited = once(child, 'exit').finally(() => running.delete(child));
  let output = '';
  const working = new Promise<void>((resolve) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.includes('flipgate is working')) resolve();
    });
  });
  await Promise.race([
    working,
    exited.then(() => {
      throw new Error(`the worker ended before it worked:\n${output}`);
    }),
  ]);
  return {
    process: child,
    output: () => output,
    told: (id) =>
      output
        .split('\n')
        .filter((line) => line.startsWith('{') && line.endsWith('}'))
        .map((line) => JSON.parse(line) as { id?: string; message: string })
        .filter((line) => line.id === id)
        .map(({ message }) => message),
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
      return child.exitCode;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/**
 * Starts a gateway whose `COMMANDS_MODULE` is executed: by itself, or, where the tests run under a `REDIS_URL`, by a worker
 * beside it, which ends with it.
 */
export async function launchExecuting(
  variables: Record<string, string | undefined>,
): Promise<LaunchedGateway> {
  if (process.env['REDIS_URL'] === undefined) return launchGateway(variables);
  const shared = { REDIS_KEY_PREFIX: `test-${randomUUID()}`, ...variables };
  const [gateway, worker] = await Promise.all([launchGateway(shared), launchWorker(shared)]);
  return {
    ...gateway,
    stop: async () => {
      const code = await gateway.stop();
      await worker.kill();
      return code;
    },
    kill: async () => {
      await Promise.all([gateway.kill(), worker.kill()]);
    },
  };
}
