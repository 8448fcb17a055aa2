import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

/** The built launcher as a process of its own. */
export interface LaunchedGateway {
  readonly url: string;
  readonly port: number;
  readonly process: ChildProcess;
  /** What it wrote to stderr so far. */
  output(): string;
  /** ms from the spawn until it said that it serves. */
  readonly startedInMs: number;
  /** Sends SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

export const ROOT = path.resolve(__dirname, '../..');
/** Processes that were started and have not ended. */
export const running = new Set<ChildProcess>();

/** Environment for a process under test: the real one without flipgate's variables, a `REDIS_URL` kept. */
export function environment(variables: Record<string, string | undefined>): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR, SystemRoot, REDIS_URL } = process.env;
  const prefix = `test-${process.pid}-${Math.random().toString(36).slice(2)}`;
  return {
    PATH,
    HOME,
    TMPDIR,
    SystemRoot,
    REDIS_URL,
    REDIS_KEY_PREFIX: prefix,
    REDIS_CHANNELS: `${prefix}-events`,
    HOST_MONITOR: 'false',
    PORT: '0',
    RECONNECT_JITTER: '0',
    ENV_FILE: undefined,
    ...variables,
  };
}

/**
 * Starts `node dist/launcher.js` (or other `args`) and waits until it serves. Every test that runs under a
 * `REDIS_URL` runs the gateway on that Redis, with a key prefix of its own. `ipc` opens a channel to the process, for
 * what `args` load into it.
 */
export async function launchGateway(
  variables: Record<string, string | undefined> = {},
  args: readonly string[] = [path.join(ROOT, 'dist/launcher.js')],
  { ipc = false }: { readonly ipc?: boolean } = {},
): Promise<LaunchedGateway> {
  const spawnedAt = performance.now();
  const child = spawn(process.execPath, args, {
    env: environment(variables),
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'pipe', ipc ? 'ipc' : 'ignore'],
  });
  running.add(child);
  const exited = once(child, 'exit').finally(() => running.delete(child));
  let output = '';
  const serving = new Promise<{ url: string }>((resolve) => {
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const line = output.split('\n').find((one) => one.includes('flipgate is serving'));
      if (line !== undefined && line.endsWith('}')) resolve(JSON.parse(line) as { url: string });
    });
  });
  const { url } = await Promise.race([
    serving,
    exited.then(() => {
      throw new Error(`the gateway ended before it served:\n${output}`);
    }),
  ]);
  return {
    url: url.replace(/\/$/, ''),
    port: Number(new URL(url).port),
    process: child,
    output: () => output,
    startedInMs: performance.now() - spawnedAt,
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

/** Ends whatever a failed test left running; for `afterEach`. */
export async function killLaunched(): Promise<void> {
  await Promise.all(
    [...running].map(async (child) => {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    }),
  );
}
