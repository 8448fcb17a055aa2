import { writeFile } from 'node:fs/promises';
import process from 'node:process';
import { systemClock } from '../core/clock.js';
import { Closers } from '../core/closers.js';
import type { Logger } from '../core/logger.js';

/** Exit codes: what was rehearsed failed, it could not begin, and what a shell makes of Ctrl-C. */
export const EXIT_FAILED = 1;
export const EXIT_BROKEN = 2;
const EXIT_INTERRUPTED = 130;

/** How long one part may take to end, ms. */
const CLOSE_DEADLINE_MS = 10_000;

/** What a rehearsal is given. */
export interface RehearsalParts {
  /** What is started is added to it at once; all of it is ended, whatever becomes of the rehearsal. */
  readonly closers: Closers;
  readonly logger: Logger;
  /** Takes a line for people about how it goes on. */
  readonly tell: (line: string) => void;
}

/** What is made of a rehearsal's result. */
export interface Told<Result> {
  /** What is printed. */
  readonly text: (result: Result) => string;
  /** Files that are written, and with what; those without a name are not. */
  readonly files: readonly (readonly [name: string | undefined, text: (result: Result) => string])[];
}

/**
 * Runs something as this process, under a `name`: prints what came of it, writes the files, and resolves with the exit
 * code: 0 where it passed, {@link EXIT_FAILED} where not, {@link EXIT_BROKEN} where `run` rejects, which is told by its
 * message. Ends everything that was started, also on SIGINT and SIGTERM.
 */
export async function rehearse<Result extends { readonly passed: boolean }>(
  name: string,
  run: (parts: RehearsalParts) => Promise<Result>,
  { text, files }: Told<Result>,
): Promise<number> {
  // stdout is for the result.
  const tell = (line: string): void => void process.stderr.write(`${name}: ${line}\n`);
  const logger = loggerOf(tell);
  const closers = new Closers(systemClock, logger, CLOSE_DEADLINE_MS);
  let interrupted = false;
  const interrupt = (): void => {
    if (interrupted) process.exit(EXIT_INTERRUPTED);
    interrupted = true;
    tell('interrupted: ending what was started; a second signal ends at once');
    void closers.closeAll().then(() => process.exit(EXIT_INTERRUPTED));
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  let result: Result;
  try {
    result = await run({ closers, logger, tell });
  } catch (error) {
    // What was interrupted fails for no reason of its own.
    if (interrupted) return EXIT_INTERRUPTED;
    tell(error instanceof Error ? error.message : String(error));
    return EXIT_BROKEN;
  } finally {
    if (!interrupted) await closers.closeAll();
  }
  process.stdout.write(`${text(result)}\n`);
  for (const [file, textOf] of files) {
    if (file === undefined) continue;
    await writeFile(file, textOf(result));
    tell(`wrote ${file}`);
  }
  return result.passed ? 0 : EXIT_FAILED;
}

/** Connections to Redis that wait for it to start are no news; what could not be ended is. */
function loggerOf(tell: (line: string) => void): Logger {
  return {
    error: (message, fields) => {
      tell(`${message} ${JSON.stringify(fields ?? {})}`);
    },
    warn: () => undefined,
    info: () => undefined,
    debug: () => undefined,
  };
}
