import type { LoadedConfig } from './load.js';
import { VARIABLES, type Values } from './schema.js';
import { showValue, type Variable } from './variable.js';

/** A variable that is set to something else than before. */
export interface VariableChange {
  readonly variable: string;
  /** Both values as operators write them, secrets masked; the default's description where nothing is set. */
  readonly from: string;
  readonly to: string;
  /** Where the new value comes from: `default`, `environment`, or a file. */
  readonly source: string;
}

const KEYS = Object.keys(VARIABLES) as readonly (keyof Values)[];

/** Variables that are set to something else in `now`, in the order documents list them. */
export function changesBetween(before: LoadedConfig, now: LoadedConfig): VariableChange[] {
  return KEYS.filter((key) => isOther(before.set[key], now.set[key])).map((key) => {
    const variable: Variable<unknown> = VARIABLES[key];
    return {
      variable: variable.env,
      from: shown(variable, before.set[key]),
      to: shown(variable, now.set[key]),
      source: now.sources[variable.env] ?? 'default',
    };
  });
}

/** Variables that files set to something else in `now`, to no effect: the environment has them, and is stronger. */
export function overriddenChanges(before: LoadedConfig, now: LoadedConfig): string[] {
  return KEYS.map((key) => VARIABLES[key].env).filter(
    (name) => now.sources[name] === 'environment' && isOther(before.inFiles[name], now.inFiles[name]),
  );
}

/** Values are texts, numbers, booleans, and lists of texts. */
function isOther(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) !== JSON.stringify(other);
}

function shown(variable: Variable<unknown>, value: unknown): string {
  const written = typeof value === 'number' ? value / variable.scale : value;
  return showValue(variable, written) || variable.defaultText;
}
