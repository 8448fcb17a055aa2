/**
 * Unknown JSON read field by field: a field that is missing or of another type reads as `undefined`. Whatever a
 * publisher or an older gateway sends, the page shows what it knows and never fails on the rest.
 */
export class Fields {
  readonly #values: Readonly<Record<string, unknown>>;

  /** Takes any value; one that is not a JSON object has no fields. */
  constructor(value: unknown) {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    this.#values = isObject ? (value as Record<string, unknown>) : {};
  }

  /** The field as it came. */
  value(name: string): unknown {
    return Object.hasOwn(this.#values, name) ? this.#values[name] : undefined;
  }

  /** A string that is not empty. */
  text(name: string): string | undefined {
    const value = this.value(name);
    return typeof value === 'string' && value !== '' ? value : undefined;
  }

  /** A finite number. */
  number(name: string): number | undefined {
    const value = this.value(name);
    return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
  }

  /** A boolean. */
  flag(name: string): boolean | undefined {
    const value = this.value(name);
    return typeof value === 'boolean' ? value : undefined;
  }

  /** An array's finite numbers; empty when there is no array. */
  numbers(name: string): number[] {
    return this.#list(name).filter((item) => typeof item === 'number' && Number.isFinite(item)) as number[];
  }

  /** An array's strings; empty when there is no array. */
  texts(name: string): string[] {
    return this.#list(name).filter((item) => typeof item === 'string');
  }

  /** The object under `name`; one without fields when there is none. */
  fields(name: string): Fields {
    return new Fields(this.value(name));
  }

  /** Names and values, in the order they came. */
  entries(): [string, unknown][] {
    return Object.entries(this.#values);
  }

  #list(name: string): unknown[] {
    const value = this.value(name);
    return Array.isArray(value) ? value : [];
  }
}
