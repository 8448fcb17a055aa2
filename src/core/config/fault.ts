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

/** Something about the configuration that people should know, and that keeps nothing from starting. */
export interface ConfigNotice {
  /** The name it is about; what its value is is not told, since it may be a secret. */
  readonly variable: string;
  /** Where the name stands: `environment`, or the path of a file. */
  readonly source: string;
  /** The problem, and what to do. */
  readonly text: string;
}

/** All that keeps a configuration from being used: at least one fault. Check with `instanceof`. */
export class ConfigFaults {
  readonly faults: readonly ConfigFault[];

  /** Notices beside them: a misspelt name is often why another variable is missing. */
  readonly notices: readonly ConfigNotice[];

  constructor(faults: readonly ConfigFault[], notices: readonly ConfigNotice[] = []) {
    this.faults = faults;
    this.notices = notices;
  }

  /** The faults, then the notices, as text for stderr, one a line, ending in a line break. */
  toText(): string {
    const faults = this.faults.map(
      ({ variable, value, source, remedy }) =>
        `${printable(variable)}=${printable(JSON.stringify(value))} (${printable(source)}): ${printable(remedy)}\n`,
    );
    return faults.join('') + noticesToText(this.notices);
  }
}

/** Notices as text for stderr, one a line, ending in a line break where there are any. */
export function noticesToText(notices: readonly ConfigNotice[]): string {
  return notices.map(({ source, text }) => `${printable(source)}: ${printable(text)}\n`).join('');
}

const MAX_LENGTH = 300;

/** On one line, and short, whatever a file or the environment held. */
function printable(text: string): string {
  const line = text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
  return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH)}…` : line;
}
