import { VARIABLES_BY_ENV } from './schema.js';
import { showValue, type Variable } from './variable.js';

/** Lines between which a document holds the table of variables. */
export const TABLE_MARKERS = { begin: '<!-- config:begin -->', end: '<!-- config:end -->' } as const;

/** The text of `.env.example`: every variable, commented out, with its default. */
export function renderEnvExample(): string {
  const head = [
    '# Every variable of flipgate, with its default. Copy to .env, and uncomment what you change.',
    '# The environment overrides the env file, which overrides config/{NODE_ENV}.json (default.json without NODE_ENV).',
    '# An empty value counts as unset. `flipgate config` shows what is in effect. Written by `npm run docs`.',
  ];
  const blocks = [...VARIABLES_BY_ENV.values()].map(renderBlock);
  return `${[head.join('\n'), ...blocks].join('\n\n')}\n`;
}

function renderBlock(variable: Variable<unknown>): string {
  const value = showValue(variable, variable.default);
  return [
    `# ${variable.doc.replaceAll('`', '')}`,
    `# Takes ${variable.accepts}.`,
    ...(value === variable.defaultText ? [] : [`# Default: ${variable.defaultText}.`]),
    `#${variable.env}=${value}`,
  ].join('\n');
}

/** The variables as a Markdown table. */
export function renderConfigTable(): string {
  const rows = [...VARIABLES_BY_ENV.values()].map((variable) => {
    const isPlain = showValue(variable, variable.default) === variable.defaultText;
    const value = isPlain ? `\`${variable.defaultText}\`` : variable.defaultText;
    return `| ${[`\`${variable.env}\``, value, variable.accepts, variable.doc].map(escapeCell).join(' | ')} |`;
  });
  return ['| variable | default | takes | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|');
}

/** A document with the table between its markers renewed; undefined when it does not have both, in order. */
export function withConfigTable(document: string): string | undefined {
  const begin = document.indexOf(TABLE_MARKERS.begin);
  const end = document.indexOf(TABLE_MARKERS.end, begin);
  if (begin === -1 || end === -1) return undefined;
  const head = document.slice(0, begin + TABLE_MARKERS.begin.length);
  return `${head}\n${renderConfigTable()}\n${document.slice(end)}`;
}
