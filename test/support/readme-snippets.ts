import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './launched-gateway.js';

/** The README's snippets by name: what follows `<!-- snippet: name -->`, without the fence. */
export function readmeSnippets(): Map<string, string> {
  const readme = readFileSync(path.join(ROOT, 'README.md'), 'utf8');
  const found = readme.matchAll(/<!-- snippet: ([\w-]+) -->\n```\w+\n([\s\S]*?)```/g);
  return new Map([...found].map((match) => [match[1] as string, match[2] as string]));
}
