/**
 * A JSON Schema, of the keywords that the drafts of both documents have in common: 7 (AsyncAPI) and 2020-12 (OpenAPI 3.1).
 */
export interface Schema {
  readonly [keyword: string]: unknown;
}

/** A schema for each property of a type: one that gets a property more, or loses one, does not compile any more. */
export type Properties<T> = { readonly [K in keyof Required<T>]: Schema };

/** The properties of a type that may be left out. */
export type OptionalKeys<T> = {
  [K in keyof T]-?: Partial<Pick<T, K>> extends Pick<T, K> ? K : never;
}[keyof T];

/** An object with these properties and no others; all are there, but for those that are `optional`. */
export function closed<T>(
  description: string,
  properties: Properties<T>,
  ...optional: readonly OptionalKeys<T>[]
): Schema {
  return { ...open<T>(description, properties, ...optional), additionalProperties: false };
}

/** The same where further properties are passed over: what clients send. */
export function open<T>(
  description: string,
  properties: Properties<T>,
  ...optional: readonly OptionalKeys<T>[]
): Schema {
  const left: readonly PropertyKey[] = optional;
  const required = Object.keys(properties).filter((name) => !left.includes(name));
  return { type: 'object', description, properties, ...(required.length > 0 ? { required } : {}) };
}

/** A schema of the document's components by its name. */
export function ref(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

/** That, or null. */
export function orNull(schema: Schema): Schema {
  return { oneOf: [schema, { type: 'null' }] };
}

/** A list of such. */
export function listOf(items: Schema): Schema {
  return { type: 'array', items };
}

/** An object with any names that holds such values. */
export function mapOf(values: Schema): Schema {
  return { type: 'object', additionalProperties: values };
}

/** One of these texts. */
export function oneOfNames(names: readonly string[], description?: string): Schema {
  return { type: 'string', enum: [...names], ...(description === undefined ? {} : { description }) };
}

/** A text. */
export function text(description?: string): Schema {
  return { type: 'string', ...(description === undefined ? {} : { description }) };
}

/** A number that counts something: whole, and not below 0. */
export function count(description?: string): Schema {
  return { type: 'integer', minimum: 0, ...(description === undefined ? {} : { description }) };
}

/** A number that is not below 0. */
export function amount(description?: string): Schema {
  return { type: 'number', minimum: 0, ...(description === undefined ? {} : { description }) };
}

/** Any JSON value. */
export const anyJson: Schema = { description: 'Any JSON value.' };
