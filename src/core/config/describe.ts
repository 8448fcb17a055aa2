import type { LoadedConfig } from './load.js';
import { VARIABLES_BY_ENV } from './schema.js';
import { showValue } from './variable.js';

/**
 * The effective configuration as plain text: a line for each variable with its value (secrets masked) and where
 * that came from, then the files that were read.
 */
export function describeConfig(loaded: LoadedConfig): string {
  const rows = [...VARIABLES_BY_ENV.values()].map((variable): Row => {
    const value = loaded.effective[variable.env];
    const source = loaded.sources[variable.env] ?? 'default';
    const depends = source === 'default' && variable.default === undefined;
    return [
      variable.env,
      showValue(variable, value) || '-',
      depends ? `default (${variable.defaultText})` : source,
    ];
  });
  const files = loaded.files.length === 0 ? 'none' : loaded.files.join(', ');
  return `${alignColumns([['VARIABLE', 'VALUE', 'SOURCE'], ...rows])}\nFiles read: ${files}\n`;
}

type Row = readonly [string, string, string];

function alignColumns(rows: readonly Row[]): string {
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map(
      ([name, value, source]) =>
        `${name.padEnd(widths[0] ?? 0)}  ${value.padEnd(widths[1] ?? 0)}  ${source}\n`,
    )
    .join('');
}
