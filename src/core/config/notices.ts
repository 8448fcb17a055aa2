import type { ConfigFault, ConfigNotice } from './fault.js';
import { certainlyMeant, hasPrefix, probablyMeant } from './nearest-variable.js';
import { REMOVED_VARIABLES } from './removed-variables.js';
import { VARIABLES_BY_ENV } from './schema.js';

/** Texts by name, as in `process.env`. */
type Texts = Readonly<Record<string, string | undefined>>;

/** Variables that say where files are, and are therefore taken from the environment only. */
export const ENVIRONMENT_ONLY: readonly string[] = ['ENV_FILE', 'CONFIG_DIR'];

/** Read by Node or by OpenTelemetry's SDK, from the environment of the process alone. */
const OF_THE_PROCESS = /^(NODE_|OTEL_)/;

/**
 * Names of the environment that are none of flipgate's variables, and all but certainly meant to be: those that begin with
 * `FLIPGATE_`, and those that differ from a variable by a slip. Where the variable itself is set, too, nothing is told.
 */
export function noticesOfEnvironment(env: Texts): ConfigNotice[] {
  return unknownIn(env).flatMap((variable) => {
    const meant = certainlyMeant(variable);
    if (meant === undefined ? !hasPrefix(variable) : isSet(env[meant])) return [];
    return [{ variable, source: 'environment', text: unknown(variable, meant) }];
  });
}

/**
 * All names of an env file that are none of flipgate's variables, or have no effect there. The process starts all the same: other
 * programs may read the file, too. A name that the environment has as well came from there, or goes there, by other means.
 */
export function noticesOfEnvFile(texts: Texts, source: string, env: Texts): ConfigNotice[] {
  const misplaced = ENVIRONMENT_ONLY.filter((name) => isSet(texts[name]) && texts[name] !== env[name]);
  return [
    ...unknownIn(texts).flatMap((variable): ConfigNotice[] => {
      const isOfProcess = OF_THE_PROCESS.test(variable);
      const near = isOfProcess ? certainlyMeant(variable) : probablyMeant(variable);
      const meant = near === undefined || isSet(texts[near]) ? undefined : near;
      if (meant !== undefined) return [{ variable, source, text: unknown(variable, meant) }];
      if (isSet(env[variable])) return [];
      const text = isOfProcess ? misplacedText(variable) : unknown(variable, undefined);
      return [{ variable, source, text }];
    }),
    ...misplaced.map((variable) => ({ variable, source, text: misplacedText(variable) })),
  ];
}

/** The remedy for a key of a config file that is no variable. */
export function unknownKey(name: string): string {
  const meant = probablyMeant(name);
  return `no such variable: correct or remove it${meant === undefined ? '' : `. Did you mean ${meant}?`}`;
}

/** The answer to a removed variable: a fault, a notice where its value asks for nothing else, or nothing where it is not set. */
export function removedIn(
  values: Readonly<Record<string, unknown>>,
  source: string,
): { readonly faults: ConfigFault[]; readonly notices: ConfigNotice[] } {
  const faults: ConfigFault[] = [];
  const notices: ConfigNotice[] = [];
  for (const [variable, { harmless, text }] of REMOVED_VARIABLES) {
    const value = Object.hasOwn(values, variable) ? asText(values[variable]) : '';
    if (value === harmless) notices.push({ variable, source, text });
    else if (value !== '') faults.push({ variable, value, source, remedy: text });
  }
  return { faults, notices };
}

function unknownIn(texts: Texts): string[] {
  return Object.keys(texts).filter(
    (name) =>
      isSet(texts[name]) &&
      !VARIABLES_BY_ENV.has(name) &&
      !REMOVED_VARIABLES.has(name) &&
      // On Windows a variable is found by its name in any case.
      (name === name.toUpperCase() || texts[name.toUpperCase()] !== texts[name]),
  );
}

function unknown(name: string, meant: string | undefined): string {
  const hint = meant === undefined ? 'It has no effect: correct or remove it.' : `Did you mean ${meant}?`;
  return `${name} is not a known variable. ${hint}`;
}

function misplacedText(name: string): string {
  return `${name} has no effect in an env file: it is read from the environment of the process only. Set it there.`;
}

function isSet(text: string | undefined): boolean {
  return text !== undefined && text.trim() !== '';
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value.trim() : (JSON.stringify(value) ?? '');
}
