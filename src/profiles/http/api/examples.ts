import type { Schema } from './schema.js';

/** What nearly all bodies are. */
export const JSON_TYPE = 'application/json';

/** Examples as OpenAPI has them, from values by name. */
export function valued(examples: Readonly<Record<string, unknown>>): Schema {
  return Object.fromEntries(Object.entries(examples).map(([name, value]) => [name, { value }]));
}
