import { JSON_TYPE, valued } from './examples.js';
import { type Schema, text } from './schema.js';

/** A JSON body, with examples that are real: by name, each a value. */
export function jsonBody(schema: Schema, examples: Readonly<Record<string, unknown>>): Schema {
  return { required: true, content: { [JSON_TYPE]: { schema, examples: valued(examples) } } };
}

/** How a client names itself; for figures alone. */
export const CLIENT_LABEL: Schema = optional(
  'query',
  'client',
  'What the client calls itself: the SDK `sdk/<version>`. A label for figures, which gives no right; anything else is ignored.',
  text(),
  { example: 'sdk/0.1.0' },
);

/** A parameter in the path. */
export function inPath(name: string, description: string, schema: Schema, example: unknown): Schema {
  return { name, in: 'path', required: true, description, schema, example };
}

/** A parameter that may be left out, in the query or a header. */
export function optional(
  place: 'query' | 'header',
  name: string,
  description: string,
  schema: Schema,
  more: Schema = {},
): Schema {
  return { name, in: place, description, schema, ...more };
}
