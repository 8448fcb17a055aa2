import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'dotenv';
import type { ConfigFault } from './fault.js';
import { type RawSources, type RawValues, VARIABLES_BY_ENV } from './schema.js';
import { showValue } from './variable.js';

/** What a process is started in. */
export interface Surroundings {
  /** The environment, as `process.env`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The working directory, absolute: relative paths start here. */
  readonly cwd: string;
  /** The directory of flipgate's package.json, absolute: `config/` is in here. */
  readonly packageRoot: string;
}

/** All that is written down somewhere, before it is merged and checked. */
export interface ReadSources extends RawSources {
  /** What to call each source in front of people. */
  readonly labels: { readonly [K in keyof RawSources]: string };
  /** Absolute path of the env file, there or not. */
  readonly envFilePath: string;
  /** Absolute paths of the files that were read. */
  readonly files: readonly string[];
  /** Files that cannot be read, and keys that are no variables. */
  readonly faults: readonly ConfigFault[];
}

/**
 * Reads `config/{NODE_ENV}.json` of the package (`default.json` without `NODE_ENV`; a missing one is fine), the
 * env file (`ENV_FILE`, else `.env`, which may be missing), and the environment. Empty text counts as unset.
 */
export function readSources({ env, cwd, packageRoot }: Surroundings): ReadSources {
  const environment = knownTexts(env);
  const config = readConfigFile(env['NODE_ENV']?.trim() || 'default', packageRoot);
  const envFile = readEnvFile(environment['ENV_FILE'], cwd);
  return {
    configFile: config.values,
    envFile: envFile.values,
    environment,
    labels: { configFile: config.label, envFile: envFile.label, environment: 'environment' },
    envFilePath: path.resolve(cwd, envFile.label),
    files: [...config.files, ...envFile.files],
    faults: [...config.faults, ...envFile.faults],
  };
}

interface ReadFile {
  readonly label: string;
  readonly values: RawValues;
  readonly files: readonly string[];
  readonly faults: readonly ConfigFault[];
}

function readConfigFile(name: string, packageRoot: string): ReadFile {
  const label = `config/${name}.json`;
  const refuse = (source: string, remedy: string): ReadFile => ({
    label,
    values: {},
    files: [],
    faults: [{ variable: 'NODE_ENV', value: name, source, remedy }],
  });
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
    return refuse('environment', 'a name of 1–64 of A-Z a-z 0-9 _ -, for config/{NODE_ENV}.json');
  }
  const file = path.join(packageRoot, 'config', `${name}.json`);
  const content = readText(file);
  if (content === undefined) return { label, values: {}, files: [], faults: [] };
  if (typeof content !== 'string') return refuse(label, `make the file readable (${content.reason})`);
  const parsed = parseObject(content);
  if (parsed === undefined) return refuse(label, 'make the file one JSON object of variables and values');
  return { label, files: [file], ...sift(parsed, label) };
}

/** Keeps the variables of a config file; whatever else it holds is a fault. */
function sift(parsed: object, source: string): Pick<ReadFile, 'values' | 'faults'> {
  const values: Record<string, unknown> = {};
  const faults: ConfigFault[] = [];
  for (const [key, value] of Object.entries(parsed)) {
    if (key === 'ENV_FILE') {
      faults.push({ variable: key, value: String(value), source, remedy: 'set it in the environment' });
      continue;
    }
    const variable = VARIABLES_BY_ENV.get(key);
    if (variable !== undefined && isObject(value)) {
      // Merged with other sources, it would be taken apart.
      faults.push({ variable: key, value: showValue(variable, value), source, remedy: variable.accepts });
    } else if (variable !== undefined) {
      values[key] = value;
    } else {
      // What a misspelt name stands for may be a secret.
      faults.push({ variable: key, value: '***', source, remedy: 'no such variable: correct or remove it' });
    }
  }
  return { values, faults };
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readEnvFile(named: string | undefined, cwd: string): ReadFile {
  const label = named?.trim() ?? '.env';
  const file = path.resolve(cwd, label);
  const content = label.includes('\0') ? { reason: 'no path' } : readText(file);
  if (content === undefined && named === undefined) return { label, values: {}, files: [], faults: [] };
  if (typeof content !== 'string') {
    const remedy = `the path of a file that can be read (${content?.reason ?? 'ENOENT'})`;
    const source = named === undefined ? 'default' : 'environment';
    return { label, values: {}, files: [], faults: [{ variable: 'ENV_FILE', value: label, source, remedy }] };
  }
  const values = knownTexts(parse(content));
  // Other programs read env files too, and may mean another file by this name.
  delete values['ENV_FILE'];
  return { label, values, files: [file], faults: [] };
}

/** The variables among these texts that are set to something. */
function knownTexts(texts: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const known: Record<string, string> = {};
  for (const name of VARIABLES_BY_ENV.keys()) {
    const text = texts[name];
    if (text !== undefined && text.trim() !== '') known[name] = text;
  }
  return known;
}

/** A file's text, undefined when there is no such file, or why it cannot be read. */
function readText(file: string): string | undefined | { readonly reason: string } {
  try {
    // Windows editors put a byte order mark in front, which would become part of the first name.
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    return reason === 'ENOENT' ? undefined : { reason };
  }
}

/** A JSON object, else undefined. Why text is no JSON is not told: the parser quotes it, secrets included. */
function parseObject(json: string): object | undefined {
  try {
    const parsed: unknown = JSON.parse(json);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}
