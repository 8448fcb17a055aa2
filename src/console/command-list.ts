import { Fields } from './fields.js';
import { formatMilliseconds, formatTimeOfDay, UNKNOWN } from './quantity.js';
import { type Cell, Rows } from './rows.js';

/** The elements of the table of commands. */
export interface CommandListParts {
  readonly body: HTMLElement;
  /** Shown while there is no command, or none can be told. */
  readonly none: HTMLElement;
}

/** The newest commands and what became of them. */
export class CommandList {
  readonly #parts: CommandListParts;
  readonly #rows: Rows;

  constructor(parts: CommandListParts) {
    this.#parts = parts;
    this.#rows = new Rows(parts.body);
  }

  /** Shows what `GET /api/admin/commands` said. */
  take(answer: Fields): void {
    const listed = answer.value('commands');
    const commands = Array.isArray(listed) ? listed.map((command) => new Fields(command)) : [];
    this.#parts.none.hidden = commands.length > 0;
    this.#parts.none.textContent = 'No command yet.';
    this.#rows.draw(commands.map(rowOf));
  }

  /** They can't be told now; what was known stays. */
  fail(): void {
    this.#parts.none.hidden = false;
    this.#parts.none.textContent = 'The commands can not be read now.';
  }
}

function rowOf(command: Fields): Cell[] {
  const status = command.text('status') ?? UNKNOWN;
  const at = command.number('at');
  const duration = command.number('durationMs');
  const id = command.text('id') ?? UNKNOWN;
  const error = command.fields('error');
  const why =
    error.text('code') === undefined ? '' : `${error.text('code') ?? ''}: ${error.text('message') ?? ''}`;
  return [
    { text: command.text('action') ?? UNKNOWN, title: id },
    { text: status, state: status },
    { text: formatTimeOfDay(at === undefined ? undefined : at / 1000).slice(0, 8), className: 'number' },
    { text: formatMilliseconds(duration), className: 'number' },
    { text: why, title: why, className: 'why' },
  ];
}
