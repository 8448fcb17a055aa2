import process from 'node:process';
import type { Command } from 'commander';
import { EXIT_BROKEN } from './rehearsal.js';

/** Has a command that is called wrongly end with {@link EXIT_BROKEN}: 1 says that what was rehearsed failed. */
export function endOnWrongUse(command: Command): void {
  command.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT_BROKEN));
}
