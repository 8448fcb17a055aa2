/** Exit code of a process that a bad configuration keeps from starting. Source: sysexits.h, EX_CONFIG. */
export const EXIT_CONFIG = 78;

/** One thing that is wrong with the configuration. */
export interface ConfigFault {
  /** The variable to change; for a key that is none, that key. */
  readonly variable: string;
  /** Its value as it was given, secrets masked. */
  readonly value: string;
  /** Where the value came from: `default`, `environment`, or the path of a file. */
  readonly source: string;
  /** What would do. */
  readonly remedy: string;
}

/** All that keeps a configuration from being used: at least one fault. Check with `instanceof`. */
export class ConfigFaults {
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    this.faults = faults;
  }

  /** The faults as text for stderr, one a line, ending in a line break. */
  toText(): string {
    return this.faults
      .map(
        ({ variable, value, source, remedy }) =>
          `${printable(variable)}=${printable(JSON.stringify(value))} (${printable(source)}): ${printable(remedy)}\n`,
      )
      .join('');
  }
}

const MAX_LENGTH = 200;

/** On one line, and short, whatever a file or the environment held. */
function printable(text: string): string {
  const line = text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
  return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH)}…` : line;
}
