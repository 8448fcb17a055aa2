/** One variable of the configuration: its name, what it does, what it takes, and how its text is read. */
export interface Variable<T> {
  /** Name in the environment, in env files, and as a key of `config/*.json`. */
  readonly env: string;
  /** What it does, for the README and `.env.example`; one line, Markdown code spans allowed. */
  readonly doc: string;
  /** What would do, with the unit: shown in the table, and as the remedy for a bad value. */
  readonly accepts: string;
  /** Value when nothing sets it, in the operator's unit; undefined means none, or one that depends. */
  readonly default: T;
  /** The default as the table shows it. */
  readonly defaultText: string;
  /** What a number is multiplied by on its way into the configuration: 1000 turns s into ms. */
  readonly scale: number;
  /** Hides what is secret in the value's text; undefined when nothing in it is. */
  readonly mask: ((text: string) => string) | undefined;
  /** True when the value is a file's path: relative ones are resolved against the working directory. */
  readonly isPath: boolean;
  /** Reads trimmed text; what it cannot read comes back as it was, and `check` refuses it. */
  readonly parse: (text: string) => unknown;
  /** True for a value in range, in the operator's unit. */
  readonly check: (value: unknown) => boolean;
}

/** What every kind of variable is given. */
interface Naming {
  readonly env: string;
  readonly doc: string;
}

/** What numbers are given besides. Both ends are inclusive, in the operator's unit. */
interface NumberOptions extends Naming {
  readonly unit: string;
  readonly min: number;
  readonly max: number;
  readonly default: number;
}

const INTEGER = /^[+-]?\d+$/;
const DECIMAL = /^[+-]?\d+(\.\d+)?$/;

/** A whole number from `min` to `max`. Text is plain digits: no fraction, no exponent, no unit. */
export function integer(options: NumberOptions): Variable<number> {
  const { min, max } = options;
  return {
    env: options.env,
    doc: options.doc,
    accepts: `a whole number from ${String(min)} to ${String(max)} (${options.unit})`,
    default: options.default,
    defaultText: String(options.default),
    scale: 1,
    mask: undefined,
    isPath: false,
    parse: (text) => (INTEGER.test(text) ? Number(text) : text),
    check: (value) => Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max,
  };
}

/** A time that operators write in seconds, fractions allowed, and code reads in ms (rounded). */
export function seconds(options: Omit<NumberOptions, 'unit'>): Variable<number> {
  const { min, max } = options;
  return {
    env: options.env,
    doc: options.doc,
    accepts: `a number from ${String(min)} to ${String(max)} (s)`,
    default: options.default,
    defaultText: String(options.default),
    scale: 1000,
    mask: undefined,
    isPath: false,
    parse: (text) => (DECIMAL.test(text) ? Number(text) : text),
    check: (value) => typeof value === 'number' && value >= min && value <= max,
  };
}

const FLAGS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['yes', true],
  ['on', true],
  ['false', false],
  ['0', false],
  ['no', false],
  ['off', false],
]);

/** A boolean: `true`/`false`, `1`/`0`, `yes`/`no`, `on`/`off`, in any case. */
export function flag<D extends boolean | undefined>(
  options: Naming & { readonly default: D; readonly defaultText?: string },
): Variable<boolean | D> {
  return {
    env: options.env,
    doc: options.doc,
    accepts: 'true or false (also 1/0, yes/no, on/off)',
    default: options.default,
    defaultText: options.defaultText ?? String(options.default),
    scale: 1,
    mask: undefined,
    isPath: false,
    parse: (text) => FLAGS.get(text.toLowerCase()) ?? text,
    check: (value) => typeof value === 'boolean',
  };
}

/** One of a few words, in any case. */
export function choice<T extends string>(
  options: Naming & { readonly options: readonly T[]; readonly default: T },
): Variable<T> {
  const words: readonly string[] = options.options;
  return {
    env: options.env,
    doc: options.doc,
    accepts: `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`,
    default: options.default,
    defaultText: options.default,
    scale: 1,
    mask: undefined,
    isPath: false,
    parse: (text) => words.find((word) => word.toLowerCase() === text.toLowerCase()) ?? text,
    check: (value) => typeof value === 'string' && words.includes(value),
  };
}

/** Text that `check` approves of. */
export function text<D extends string | undefined>(
  options: Naming & {
    readonly accepts: string;
    readonly default: D;
    readonly defaultText?: string;
    readonly mask?: (text: string) => string;
    readonly check: (text: string) => boolean;
  },
): Variable<string | D> {
  return {
    env: options.env,
    doc: options.doc,
    accepts: options.accepts,
    default: options.default,
    defaultText: options.defaultText ?? options.default ?? 'none',
    scale: 1,
    mask: options.mask,
    isPath: false,
    parse: (value) => value,
    check: (value) => typeof value === 'string' && options.check(value),
  };
}

/** The path of a file, or of a folder where `accepts` says so. */
export function path<D extends string | undefined>(
  options: Naming & { readonly default: D; readonly defaultText: string; readonly accepts?: string },
): Variable<string | D> {
  const { accepts = 'the path of a file, absolute or relative to the working directory' } = options;
  return { ...text({ ...options, accepts, check: (value) => !value.includes('\0') }), isPath: true };
}

/** A list, comma separated as text: items are trimmed, empty and repeated ones left out. */
export function list(
  options: Naming & {
    readonly accepts: string;
    readonly default: readonly string[];
    readonly defaultText?: string;
    /** Fewest items that make sense. */
    readonly minItems: number;
    readonly check: (item: string) => boolean;
  },
): Variable<readonly string[]> {
  return {
    env: options.env,
    doc: options.doc,
    accepts: options.accepts,
    default: options.default,
    defaultText: options.defaultText ?? options.default.join(','),
    scale: 1,
    mask: undefined,
    isPath: false,
    parse: (value) => [
      ...new Set(
        value
          .split(',')
          .map((item) => item.trim())
          .filter((item) => item !== ''),
      ),
    ],
    check: (value) =>
      Array.isArray(value) &&
      value.length >= options.minItems &&
      value.every((item) => typeof item === 'string' && options.check(item)),
  };
}

/** A value as operators would write it, its secrets masked; empty for none. */
export function showValue(variable: Variable<unknown>, value: unknown): string {
  if (value === undefined || value === null) return '';
  const shown =
    typeof value === 'string' ? value : Array.isArray(value) ? value.join(',') : JSON.stringify(value);
  return variable.mask === undefined ? shown : variable.mask(shown);
}
