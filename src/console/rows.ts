/**
 * A cell: text, or text with a class, a title, a level between 0 and 1, a state that colours it, or a label where there is no header.
 * With `button`, a button that says the text and has that value.
 */
export type Cell =
  | string
  | {
      readonly text: string;
      readonly className?: string;
      readonly title?: string;
      readonly level?: number;
      readonly state?: string;
      readonly label?: string;
      readonly button?: string;
    };

/** Rows of a table, drawn anew only when they have changed, so that what is selected stays selected. */
export class Rows {
  readonly #body: HTMLElement;
  #drawn = '';

  /** @param body The table's body. */
  constructor(body: HTMLElement) {
    this.#body = body;
  }

  /** Shows these rows; the first cell of each is its header. */
  draw(rows: readonly (readonly Cell[])[]): void {
    const text = JSON.stringify(rows);
    if (text === this.#drawn) return;
    this.#drawn = text;
    this.#body.replaceChildren(...rows.map(rowOf));
  }
}

function rowOf(cells: readonly Cell[]): HTMLTableRowElement {
  const row = document.createElement('tr');
  row.append(...cells.map((cell, index) => cellOf(cell, index === 0)));
  return row;
}

function cellOf(cell: Cell, isHeader: boolean): HTMLTableCellElement {
  const made = document.createElement(isHeader ? 'th' : 'td');
  if (isHeader) made.scope = 'row';
  const { text, className, title, level, state, label, button } =
    typeof cell === 'string' ? { text: cell } : cell;
  if (className !== undefined) made.className = className;
  if (title !== undefined && button === undefined) made.title = title;
  if (label !== undefined) made.dataset['label'] = label;
  if (level !== undefined) made.style.setProperty('--level', level.toFixed(3));
  if (button !== undefined) made.append(buttonOf(text, button, title));
  else if (state === undefined) made.textContent = text;
  else made.append(pillOf(text, state));
  return made;
}

function buttonOf(text: string, value: string, title = text): HTMLButtonElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'small';
  button.value = value;
  button.title = title;
  button.setAttribute('aria-label', title);
  button.textContent = text;
  return button;
}

function pillOf(text: string, state: string): HTMLSpanElement {
  const pill = document.createElement('span');
  pill.className = 'pill';
  pill.dataset['value'] = state;
  pill.textContent = text;
  return pill;
}
