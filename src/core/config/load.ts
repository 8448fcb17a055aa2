import { statSync } from 'node:fs';
import path from 'node:path';
import type { Config } from './config.js';
import { crossCheck } from './cross-check.js';
import { type ConfigFault, ConfigFaults, type ConfigNotice } from './fault.js';
import { transportsFor } from './profile.js';
import { ENVIRONMENT_ONLY } from './notices.js';
import type { Surroundings } from './read-file.js';
import { merge, type RawValues, VARIABLES, type Values } from './schema.js';
import { type ReadSources, readSources } from './sources.js';
import { showValue, type Variable } from './variable.js';

/** A configuration that is good, and how it came about. */
export interface LoadedConfig {
  readonly config: Config;
  /** Where each variable's value came from, by environment name: `default`, `environment`, or a file's path. */
  readonly sources: Readonly<Record<string, string>>;
  /** Effective values by environment name, in operators' units; undefined for none. Secrets are not masked. */
  readonly effective: RawValues;
  /** The value of each variable, before values that depend on others are worked out; see {@link changesBetween}. */
  readonly set: Values;
  /** By environment name, as written: what files set, the env file overriding the config file, whatever the environment has. */
  readonly inFiles: RawValues;
  /** Absolute paths of the files that were read. */
  readonly files: readonly string[];
  /** Notices for people: names that are misspelt, variables that were removed, files that are passed over. */
  readonly notices: readonly ConfigNotice[];
}

/**
 * Reads the whole configuration: defaults, then the config file, then the env file, then the environment, each
 * overriding the ones before. Reads files, changes nothing, and may be called again.
 * Answers all faults at once when there is any.
 */
export function loadConfig(surroundings: Surroundings): LoadedConfig | ConfigFaults {
  const read = readSources(surroundings);
  const merged = merge(read);
  const { values, faults } = checkEach(merged.values, read, surroundings.cwd);
  for (const { key, remedy } of crossCheck(values)) {
    faults.push(describeFault(VARIABLES[key], read, remedy));
  }
  if (faults.length + read.faults.length > 0) {
    return new ConfigFaults([...read.faults, ...faults], read.notices);
  }
  merged.validate();
  const set = values as Values;
  const config = toConfig(set, read, surroundings.packageRoot);
  return {
    config,
    sources: sourcesOf(read),
    effective: effectiveValues(config),
    set,
    inFiles: { ...read.configFile, ...read.envFile },
    files: read.files,
    notices: read.notices,
  };
}

const KEYS = Object.keys(VARIABLES) as readonly (keyof Values)[];

/** The values that are good, in the configuration's units, and faults for the others. */
function checkEach(raw: RawValues, read: ReadSources, cwd: string) {
  const values: Record<string, unknown> = {};
  const faults: ConfigFault[] = [];
  for (const key of KEYS) {
    const variable: Variable<unknown> = VARIABLES[key];
    const value = raw[variable.env];
    if (value === null && variable.default === undefined) values[key] = undefined;
    else if (!variable.check(value)) faults.push(describeFault(variable, read, variable.accepts));
    else if (!variable.isPath) values[key] = scaled(variable, value);
    else {
      const file = path.resolve(cwd, String(value));
      values[key] = file;
      // These were told of where they were looked for.
      if (!ENVIRONMENT_ONLY.includes(variable.env) && !isFile(file)) {
        faults.push(describeFault(variable, read, `the path of a file that exists; ${file} does not`));
      }
    }
  }
  return { values: values as Partial<Values>, faults };
}

function describeFault(variable: Variable<unknown>, read: ReadSources, remedy: string): ConfigFault {
  const { env } = variable;
  const name = sourceOf(env, read);
  const value = name === undefined ? variable.default : read[name][env];
  const source = name === undefined ? 'default' : read.labels[name];
  return { variable: env, value: value === null ? 'null' : showValue(variable, value), source, remedy };
}

const STRONGEST_FIRST = ['environment', 'envFile', 'configFile'] as const;

/** The strongest source that has this variable; undefined when only the default is left. */
function sourceOf(env: string, read: ReadSources) {
  return STRONGEST_FIRST.find((name) => Object.hasOwn(read[name], env));
}

function sourcesOf(read: ReadSources): Record<string, string> {
  return Object.fromEntries(
    KEYS.map((key) => {
      const name = sourceOf(VARIABLES[key].env, read);
      return [VARIABLES[key].env, name === undefined ? 'default' : read.labels[name]];
    }),
  );
}

function toConfig(values: Values, read: ReadSources, packageRoot: string): Config {
  const { appProfile, enableWs, enableSse, enableControlHttp, ...rest } = values;
  const transportOverrides = { websocket: enableWs, sse: enableSse, control: enableControlHttp };
  return {
    ...rest,
    profile: appProfile,
    transports: transportsFor(appProfile, transportOverrides),
    transportOverrides,
    hostMonitor: values.hostMonitor ?? values.redisUrl === undefined,
    eventTypesFile: values.eventTypesFile ?? path.join(packageRoot, 'config', 'event-types.json'),
    legacyEventsFile: values.legacyEventsFile ?? path.join(packageRoot, 'config', 'hak-gal.json'),
    envFile: read.envFilePath,
    configDir: read.configDirPath,
  };
}

function effectiveValues(config: Config): RawValues {
  const { profile, transports, transportOverrides: _, ...rest } = config;
  const values = {
    ...rest,
    appProfile: profile,
    enableWs: transports.websocket,
    enableSse: transports.sse,
    enableControlHttp: transports.control,
  } satisfies Values;
  return Object.fromEntries(KEYS.map((key) => [VARIABLES[key].env, unscaled(VARIABLES[key], values[key])]));
}

function scaled({ scale }: Variable<unknown>, value: unknown): unknown {
  return typeof value === 'number' && scale !== 1 ? Math.round(value * scale) : value;
}

function unscaled({ scale }: Variable<unknown>, value: unknown): unknown {
  return typeof value === 'number' ? value / scale : value;
}

function isFile(file: string): boolean {
  try {
    return statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
  } catch {
    // A name that is too long, or none at all, throws all the same.
    return false;
  }
}
