import convict from 'convict';
import { DELIVERY_VARIABLES } from './delivery-variables.js';
import { OPERATING_VARIABLES } from './operating-variables.js';
import { SECURITY_VARIABLES } from './security-variables.js';
import { SERVING_VARIABLES } from './serving-variables.js';
import type { Variable } from './variable.js';

/** The one schema: every variable there is, in the order documents list them. */
export const VARIABLES = {
  ...SERVING_VARIABLES,
  ...SECURITY_VARIABLES,
  ...DELIVERY_VARIABLES,
  ...OPERATING_VARIABLES,
} as const;

/** The schema by the variables' names in the environment. */
export const VARIABLES_BY_ENV: ReadonlyMap<string, Variable<unknown>> = new Map(
  Object.values<Variable<unknown>>(VARIABLES).map((variable) => [variable.env, variable]),
);

type ValueOf<V> = V extends Variable<infer T> ? T : never;

/** The value of each variable, undefined where nothing sets it and it has no default of its own. */
export type Values = { readonly [K in keyof typeof VARIABLES]: ValueOf<(typeof VARIABLES)[K]> };

/** Values by the variables' names in the environment: text still to be read, or JSON values. */
export type RawValues = Readonly<Record<string, unknown>>;

/** Where values come from, weakest first; each overrides the ones before it. */
export interface RawSources {
  readonly configFile: RawValues;
  readonly envFile: RawValues;
  readonly environment: Readonly<Record<string, string>>;
}

/** The effective values by environment name, as convict merges and reads them; null for none. */
export interface Merged {
  readonly values: RawValues;
  /** Convict's own verdict on the whole; throws when a value is bad, or its name unknown. */
  validate(): void;
}

/** Merges the sources over the defaults. Bad values are left as they are: {@link Variable.check} tells. */
export function merge(sources: RawSources): Merged {
  const store = convict<Record<string, unknown>>(convictSchema(), { env: sources.environment, args: [] });
  store.load(sources.configFile);
  store.load(sources.envFile);
  return {
    values: store.getProperties(),
    validate: () => {
      store.validate({ allowed: 'strict' });
    },
  };
}

function convictSchema(): convict.Schema<Record<string, unknown>> {
  const rows: Record<string, convict.SchemaObj> = {};
  for (const variable of VARIABLES_BY_ENV.values()) {
    // Convict reads text by the name of its format only, and its own formats take "12abc" for 12.
    const format = `flipgate ${variable.env}`;
    convict.addFormat({
      name: format,
      coerce: (text: string): unknown => variable.parse(text.trim()),
      validate(value: unknown): void {
        if (!variable.check(value)) throw new Error(variable.accepts);
      },
    });
    rows[variable.env] = {
      doc: variable.doc,
      format,
      default: variable.default ?? null,
      nullable: variable.default === undefined,
      env: variable.env,
      sensitive: variable.mask !== undefined,
    };
  }
  return rows;
}
