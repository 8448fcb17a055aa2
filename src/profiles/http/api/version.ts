import { readFileSync } from 'node:fs';

/** The version of flipgate, as its package has it. */
export function readVersion(): string {
  const file = new URL('../../../../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string };
  return version;
}
