import { execFile } from 'node:child_process';
import path from 'node:path';
import { ROOT } from './launched-gateway.js';

/** How a program ended. */
export interface ProgramRun {
  /** The exit code; null when it was killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a built program, such as `dist/cli.js config`, to its end, with these variables of flipgate and no others; kills it after `timeoutMs`. */
export function runProgram(
  program: string,
  args: readonly string[],
  variables: Record<string, string>,
  timeoutMs = 20_000,
): Promise<ProgramRun> {
  const { PATH, HOME } = process.env;
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [path.join(ROOT, program), ...args],
      { env: { PATH, HOME, ...variables }, cwd: ROOT, timeout: timeoutMs },
      (_error, stdout, stderr) => {
        resolve({ code: child.exitCode, stdout, stderr });
      },
    );
  });
}
