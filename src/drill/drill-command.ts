import { writeFile } from 'node:fs/promises';
import process from 'node:process';
import { systemClock } from '../core/clock.js';
import { Closers } from '../core/closers.js';
import type { Logger } from '../core/logger.js';
import { runDrill } from './drill.js';
import type { DrillOptions } from './drill-options.js';
import type { DrillResult } from './drill-result.js';
import { reportPage } from './report/report-page.js';
import { stepTable } from './report/step-table.js';

/** Exit codes: a drill that failed, one that could not begin, and what a shell makes of Ctrl-C. */
const EXIT_FAILED = 1;
const EXIT_BROKEN = 2;
const EXIT_INTERRUPTED = 130;

/** How long one part may take to end, ms. */
const CLOSE_DEADLINE_MS = 10_000;

/** What the command is asked. */
export interface DrillCommand {
  readonly options: DrillOptions;
  /** File for the report; undefined for none. */
  readonly report: string | undefined;
  /** File for the result as JSON; undefined for none. */
  readonly json: string | undefined;
}

/**
 * Runs a drill as this process: prints the table, writes the report, and resolves with the exit code: 0 where all was
 * as demanded, 1 where not, 2 where it could not begin. Ends everything it started, also on SIGINT and SIGTERM.
 */
export async function drillCommand({ options, report, json }: DrillCommand): Promise<number> {
  const closers = new Closers(systemClock, LOGGER, CLOSE_DEADLINE_MS);
  let interrupted = false;
  const interrupt = (): void => {
    if (interrupted) process.exit(EXIT_INTERRUPTED);
    interrupted = true;
    tell('interrupted: ending what was started; a second signal ends at once');
    void closers.closeAll().then(() => process.exit(EXIT_INTERRUPTED));
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  let result: DrillResult;
  try {
    result = await runDrill({ options, closers, logger: LOGGER, tell });
  } catch (error) {
    // What was interrupted fails for no reason of its own.
    if (interrupted) return EXIT_INTERRUPTED;
    tell(error instanceof Error ? error.message : String(error));
    return EXIT_BROKEN;
  } finally {
    if (!interrupted) await closers.closeAll();
  }
  process.stdout.write(`${stepTable(result)}\n`);
  if (report !== undefined) await write(report, reportPage(result));
  if (json !== undefined) await write(json, `${JSON.stringify(result, null, 2)}\n`);
  return result.passed ? 0 : EXIT_FAILED;
}

async function write(file: string, text: string): Promise<void> {
  await writeFile(file, text);
  tell(`wrote ${file}`);
}

/** Tells people a line about how the drill goes on; stdout is for its result. */
function tell(line: string): void {
  process.stderr.write(`drill: ${line}\n`);
}

/** Connections to Redis that wait for it to start are no news; what could not be ended is. */
const LOGGER: Logger = {
  error: (message, fields) => {
    tell(`${message} ${JSON.stringify(fields ?? {})}`);
  },
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
};
