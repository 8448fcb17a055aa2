import path from 'node:path';
import { parse } from 'dotenv';
import { readConfigFile } from './config-file.js';
import type { ConfigFault, ConfigNotice } from './fault.js';
import { ENVIRONMENT_ONLY, noticesOfEnvFile, noticesOfEnvironment, removedIn } from './notices.js';
import { emptyFile, type ReadFile, readText, type Surroundings } from './read-file.js';
import { type RawSources, VARIABLES_BY_ENV } from './schema.js';

/** All that is written down somewhere, before it is merged and checked. */
export interface ReadSources extends RawSources {
  /** What to call each source in front of people. */
  readonly labels: { readonly [K in keyof RawSources]: string };
  /** Absolute path of the env file, there or not. */
  readonly envFilePath: string;
  /** Absolute paths of the files that were read. */
  readonly files: readonly string[];
  /** Absolute path of the folder that config files are looked for in first. */
  readonly configDirPath: string;
  /** Files that cannot be read, keys that are no variables, and removed variables. */
  readonly faults: readonly ConfigFault[];
  /** Names that are all but certainly misspelt, and what else people should know. */
  readonly notices: readonly ConfigNotice[];
}

/**
 * Reads the config file (see {@link readConfigFile}), the env file (`ENV_FILE`, else `.env`, which may be missing), and
 * the environment. Empty text counts as unset.
 */
export function readSources(surroundings: Surroundings): ReadSources {
  const { env, cwd } = surroundings;
  const environment = knownTexts(env);
  const config = readConfigFile(surroundings, environment['CONFIG_DIR']);
  const envFile = readEnvFile(environment['ENV_FILE'], surroundings);
  const removed = removedIn(env, 'environment');
  return {
    configFile: config.values,
    envFile: envFile.values,
    environment,
    labels: { configFile: config.label, envFile: envFile.label, environment: 'environment' },
    envFilePath: path.resolve(cwd, envFile.label),
    files: [...config.files, ...envFile.files],
    configDirPath: path.resolve(cwd, environment['CONFIG_DIR']?.trim() ?? 'config'),
    faults: [...config.faults, ...envFile.faults, ...removed.faults],
    notices: [...config.notices, ...envFile.notices, ...noticesOfEnvironment(env), ...removed.notices],
  };
}

function readEnvFile(named: string | undefined, { env, cwd }: Surroundings): ReadFile {
  const label = named?.trim() ?? '.env';
  const file = path.resolve(cwd, label);
  const content = label.includes('\0') ? { reason: 'no path' } : readText(file);
  if (content === undefined && named === undefined) return emptyFile(label);
  if (typeof content !== 'string') {
    const remedy = `the path of a file that can be read (${content?.reason ?? 'ENOENT'})`;
    const source = named === undefined ? 'default' : 'environment';
    return { ...emptyFile(label), faults: [{ variable: 'ENV_FILE', value: label, source, remedy }] };
  }
  const texts = parse(content);
  const values = knownTexts(texts);
  for (const name of ENVIRONMENT_ONLY) delete values[name];
  const { faults, notices } = removedIn(texts, label);
  return {
    label,
    values,
    files: [file],
    faults,
    notices: [...noticesOfEnvFile(texts, label, env), ...notices],
  };
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
