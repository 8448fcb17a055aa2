import { rehearse } from '../rig/rehearsal.js';
import { levelTable } from './report/level-table.js';
import { reportPage } from './report/report-page.js';
import { runValidation } from './validate.js';
import type { ValidateArguments } from './validate-arguments.js';

/**
 * Runs a validation as this process: prints the levels, writes the report, and resolves with the exit code: 0 where all
 * hold, 1 where not, 2 where it could not begin. Ends everything it started, also on SIGINT and SIGTERM.
 * @param configuredToken Shown to a gateway that runs where none was typed.
 */
export async function validateCommand(
  { options: typed, json, html }: ValidateArguments,
  configuredToken: string | undefined,
): Promise<number> {
  const options = { ...typed, token: typed.token ?? configuredToken };
  return await rehearse('validate', (parts) => runValidation({ options, ...parts }), {
    text: levelTable,
    files: [
      [html, reportPage],
      [json, (result) => `${JSON.stringify(result, null, 2)}\n`],
    ],
  });
}
