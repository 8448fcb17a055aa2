import { readFileSync } from 'node:fs';
import type { ConfigFault, ConfigNotice } from './fault.js';
import type { RawValues } from './schema.js';

/** The surroundings that a process is started in. */
export interface Surroundings {
  /** The environment, as `process.env`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The working directory, absolute: relative paths start here. */
  readonly cwd: string;
  /** The directory of flipgate's package.json, absolute: `config/` is in here. */
  readonly packageRoot: string;
}

/** The part of the configuration that one file gives. */
export interface ReadFile {
  /** The name of the file for people. */
  readonly label: string;
  readonly values: RawValues;
  /** Its absolute path, where it was read. */
  readonly files: readonly string[];
  readonly faults: readonly ConfigFault[];
  readonly notices: readonly ConfigNotice[];
}

/** A file that gives nothing. */
export function emptyFile(label: string): ReadFile {
  return { label, values: {}, files: [], faults: [], notices: [] };
}

/** A file's text, undefined when there is no such file, or why it cannot be read. */
export function readText(file: string): string | undefined | { readonly reason: string } {
  try {
    // Windows editors put a byte order mark in front, which would become part of the first name.
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    return reason === 'ENOENT' || reason === 'ENOTDIR' ? undefined : { reason };
  }
}
