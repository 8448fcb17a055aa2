import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { ROOT } from './launched-gateway.js';
import { waitUntil } from './wait-until.js';

/** A program of examples/ that runs. */
export interface ExampleProgram {
  /** What it wrote so far, to stdout and stderr. */
  output(): string;
  /** Resolves with its exit code, once it has ended by itself or been ended. */
  readonly ended: Promise<number | null>;
  readonly process: ChildProcess;
}

const INSTALLED = path.join(ROOT, 'node_modules/.cache/flipgate-python/bin/python');
const running = new Set<ChildProcess>();

/**
 * A Python that has what the examples import: the one `scripts/install-test-tools.mjs` made, else the one on the PATH;
 * undefined when neither has it.
 */
export function examplePython(): string | undefined {
  return [INSTALLED, 'python3'].find(
    (python) => spawnSync(python, ['-c', 'import bullmq, flask, redis'], { stdio: 'ignore' }).status === 0,
  );
}

/** Starts `command` on a file of examples/ with these variables and no others; `says` is what to wait for. */
export async function startExample(
  command: string,
  args: readonly [file: string, ...string[]],
  variables: Record<string, string> = {},
  says?: string,
): Promise<ExampleProgram> {
  const { PATH, HOME, TMPDIR } = process.env;
  const [file, ...rest] = args;
  const child = spawn(command, [path.join(ROOT, 'examples', file), ...rest], {
    env: { PATH, HOME, TMPDIR, PYTHONUNBUFFERED: '1', PYTHONDONTWRITEBYTECODE: '1', ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const ended = once(child, 'close').then(() => {
    running.delete(child);
    return child.exitCode;
  });
  if (says !== undefined) {
    await waitUntil(() => {
      if (child.exitCode !== null) throw new Error(`${file} ended:\n${output}`);
      return output.includes(says);
    }, `${file} to say "${says}"`);
  }
  return { output: () => output, ended, process: child };
}

/** Ends what a test left running; for `afterEach`. */
export async function killExamples(): Promise<void> {
  await Promise.all(
    [...running].map(async (child) => {
      child.kill('SIGKILL');
      await once(child, 'close');
    }),
  );
}
