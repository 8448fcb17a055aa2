import { createHash } from 'node:crypto';

/**
 * What two requests share exactly when they ask for the same: a SHA-256 of the action and the data, in which the
 * order of an object's fields does not count. Undefined when the data is nested too deep to be written.
 */
export function fingerprint(action: string, data: unknown): string | undefined {
  try {
    const text = JSON.stringify([action, data ?? null], sortFields);
    return createHash('sha256').update(text).digest('base64');
  } catch {
    return undefined;
  }
}

function sortFields(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const fields = Object.entries(value);
  return Object.fromEntries(fields.sort(([left], [right]) => (left < right ? -1 : 1)));
}
