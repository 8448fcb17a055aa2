import { createHash } from 'node:crypto';

/** SHA-256 of a text in UTF-8, 64 hex digits in lower case: what secrets are kept and found by, instead of themselves. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
