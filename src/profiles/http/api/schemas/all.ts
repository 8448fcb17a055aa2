import type { Schema } from '../schema.js';
import { clusterSchemas } from './cluster.js';
import { commandSchemas } from './commands.js';
import { denialSchemas } from './denials.js';
import { errorSchemas } from './errors.js';
import { eventSchemas } from './events.js';
import { figureSchemas } from './figures.js';
import { meSchemas } from './me.js';
import { profileSchemas } from './profiles.js';
import { statusSchemas } from './status.js';
import { streamSchemas } from './stream.js';

const SCHEMAS: Readonly<Record<string, Schema>> = {
  ...errorSchemas,
  ...eventSchemas,
  ...commandSchemas,
  ...profileSchemas,
  ...meSchemas,
  ...denialSchemas,
  ...streamSchemas,
  ...statusSchemas,
  ...figureSchemas,
  ...clusterSchemas,
};

/** The schemas that a part of a document refers to, and those that these refer to, by name. */
export function schemasFor(part: unknown): Record<string, Schema> {
  const found = new Map<string, Schema>();
  const search = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      const name = key === '$ref' && typeof inner === 'string' ? NAMED.exec(inner)?.[1] : undefined;
      if (name === undefined) search(inner);
      else if (!found.has(name)) {
        const schema = SCHEMAS[name];
        if (schema === undefined) throw new Error(`no schema is called ${name}`);
        found.set(name, schema);
        search(schema);
      }
    }
  };
  search(part);
  return Object.fromEntries([...found].sort(([one], [other]) => one.localeCompare(other)));
}

const NAMED = /^#\/components\/schemas\/(\w+)$/;
