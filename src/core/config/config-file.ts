import { statSync } from 'node:fs';
import path from 'node:path';
import type { ConfigFault } from './fault.js';
import { ENVIRONMENT_ONLY, removedIn, unknownKey } from './notices.js';
import { emptyFile, type ReadFile, readText, type Surroundings } from './read-file.js';
import { REMOVED_VARIABLES } from './removed-variables.js';
import { VARIABLES_BY_ENV } from './schema.js';
import { showValue } from './variable.js';

/**
 * Reads `{NODE_ENV}.json` (`default.json` without `NODE_ENV`) of the first folder that has one: with `CONFIG_DIR` of that
 * folder alone; without it of `config/` in the working directory, then of `config/` in flipgate's package. A missing one is
 * fine. Other programs keep their own `config/` in the working directory: a file there that names no variable of flipgate is
 * told and passed over.
 */
export function readConfigFile({ env, cwd, packageRoot }: Surroundings, configDir?: string): ReadFile {
  const name = env['NODE_ENV']?.trim() || 'default';
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
    const remedy = 'a name of 1–64 of A-Z a-z 0-9 _ -, for config/{NODE_ENV}.json';
    const fault = { variable: 'NODE_ENV', value: name, source: 'environment', remedy };
    return { ...emptyFile(`config/${name}.json`), faults: [fault] };
  }
  const own = path.join(packageRoot, 'config');
  if (configDir !== undefined) return readNamed(path.resolve(cwd, configDir.trim()), name, cwd);
  const here = path.join(cwd, 'config');
  const file = path.join(here, `${name}.json`);
  const content = here === own ? undefined : readText(file);
  if (content === undefined) return readIn(own, name, cwd);
  if (typeof content !== 'string' || namesVariables(content)) return readIn(here, name, cwd);
  const label = labelOf(file, cwd);
  const text = `${label} names no variable of flipgate and is not read: it seems to be another program's. Set CONFIG_DIR to the folder of flipgate's config files.`;
  const read = readIn(own, name, cwd);
  return { ...read, notices: [...read.notices, { variable: 'CONFIG_DIR', source: 'default', text }] };
}

/** A file of the folder that `CONFIG_DIR` names, which must be there. */
function readNamed(folder: string, name: string, cwd: string): ReadFile {
  if (isFolder(folder)) return readIn(folder, name, cwd);
  const remedy = `the path of a folder that exists; ${folder} does not`;
  const fault = { variable: 'CONFIG_DIR', value: folder, source: 'environment', remedy };
  return { ...emptyFile(labelOf(path.join(folder, `${name}.json`), cwd)), faults: [fault] };
}

function readIn(folder: string, name: string, cwd: string): ReadFile {
  const file = path.join(folder, `${name}.json`);
  const label = labelOf(file, cwd);
  const refuse = (remedy: string): ReadFile => ({
    ...emptyFile(label),
    faults: [{ variable: 'NODE_ENV', value: name, source: label, remedy }],
  });
  const content = readText(file);
  if (content === undefined) return emptyFile(label);
  if (typeof content !== 'string') return refuse(`make the file readable (${content.reason})`);
  const parsed = parseObject(content);
  if (parsed === undefined) return refuse('make the file one JSON object of variables and values');
  return { label, files: [file], ...sift(parsed, label) };
}

/** Relative to the working directory where it is in there, else absolute. */
function labelOf(file: string, cwd: string): string {
  const relative = path.relative(cwd, file);
  return relative.startsWith('..') || path.isAbsolute(relative) ? file : relative.replaceAll(path.sep, '/');
}

/** True for JSON text of which a key is, or was, a variable, and for an empty object; also where the text is no JSON yet, and has such a key. */
function namesVariables(json: string): boolean {
  const names = [...VARIABLES_BY_ENV.keys(), ...REMOVED_VARIABLES.keys()];
  const parsed = parseObject(json);
  if (parsed === undefined) return names.some((name) => json.includes(`"${name}"`));
  const keys = Object.keys(parsed);
  return keys.length === 0 || names.some((name) => keys.includes(name));
}

/** Keeps the variables of a config file; whatever else it holds is a fault. */
function sift(parsed: object, source: string): Pick<ReadFile, 'values' | 'faults' | 'notices'> {
  const values: Record<string, unknown> = {};
  const removed = removedIn(parsed as Readonly<Record<string, unknown>>, source);
  const faults: ConfigFault[] = [...removed.faults];
  for (const [key, value] of Object.entries(parsed)) {
    if (REMOVED_VARIABLES.has(key)) continue;
    if (ENVIRONMENT_ONLY.includes(key)) {
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
      // The value of a misspelt name may be a secret.
      faults.push({ variable: key, value: '***', source, remedy: unknownKey(key) });
    }
  }
  return { values, faults, notices: removed.notices };
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
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

function isFolder(folder: string): boolean {
  try {
    return statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch {
    // A name that is too long, or none at all, throws all the same.
    return false;
  }
}
