/**
 * The beginning of a JSON value on one line, at most `maxChars` characters and a mark when there is more. Its cost
 * follows `maxChars`, not the size of the value: events may carry megabytes.
 */
export function preview(value: unknown, maxChars = 240): string {
  const writer = new BoundedWriter(maxChars);
  write(value, writer);
  return writer.text();
}

class BoundedWriter {
  readonly #maxChars: number;
  #text = '';

  constructor(maxChars: number) {
    this.#maxChars = maxChars;
  }

  get isFull(): boolean {
    return this.#text.length > this.#maxChars;
  }

  get room(): number {
    return Math.max(0, this.#maxChars - this.#text.length);
  }

  add(text: string): void {
    this.#text += text;
  }

  text(): string {
    return this.isFull ? `${this.#text.slice(0, this.#maxChars)}…` : this.#text;
  }
}

function write(value: unknown, writer: BoundedWriter): void {
  if (typeof value === 'string') {
    writer.add(JSON.stringify(value.slice(0, writer.room + 1)));
  } else if (Array.isArray(value)) {
    writeItems(value, writer);
  } else if (typeof value === 'object' && value !== null) {
    writeFields(value, writer);
  } else {
    writer.add(String(value));
  }
}

function writeItems(items: readonly unknown[], writer: BoundedWriter): void {
  writer.add('[');
  let separator = '';
  for (const item of items) {
    if (writer.isFull) return;
    writer.add(separator);
    write(item, writer);
    separator = ', ';
  }
  writer.add(']');
}

function writeFields(fields: object, writer: BoundedWriter): void {
  writer.add('{');
  let separator = '';
  for (const name in fields) {
    if (writer.isFull) return;
    writer.add(`${separator}${name.slice(0, writer.room + 1)}: `);
    write((fields as Record<string, unknown>)[name], writer);
    separator = ', ';
  }
  writer.add('}');
}
