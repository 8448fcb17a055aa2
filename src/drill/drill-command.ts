import { rehearse } from '../rig/rehearsal.js';
import { runDrill } from './drill.js';
import type { DrillOptions } from './drill-options.js';
import { reportPage } from './report/report-page.js';
import { stepTable } from './report/step-table.js';

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
  return await rehearse('drill', (parts) => runDrill({ options, ...parts }), {
    text: stepTable,
    files: [
      [report, reportPage],
      [json, (result) => `${JSON.stringify(result, null, 2)}\n`],
    ],
  });
}
