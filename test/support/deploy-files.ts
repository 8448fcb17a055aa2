import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { ROOT } from './launched-gateway.js';

/** The text of a file, by its path from the root of the project. */
export function textOf(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8');
}

/** A YAML file with one document, `<<` merged; throws where it is no YAML, or says a thing twice. */
export function yamlOf(file: string): unknown {
  return parse(textOf(file), { merge: true, strict: true });
}

/** All documents of a YAML text. */
export function documentsOf(text: string): readonly unknown[] {
  return parseAllDocuments(text, { strict: true }).map((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0];
    return document.toJS() as unknown;
  });
}

/** The files of a folder and below, by their paths from the root of the project. */
export function filesBelow(folder: string): readonly string[] {
  return readdirSync(path.join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(ROOT, path.join(entry.parentPath, entry.name)));
}

/** The lines of a text that are neither empty nor a comment. */
export function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** The variables of an env file, with those that are there as an example (`#NAME=`) if asked for. */
export function variablesOf(text: string, { examples = false } = {}): Readonly<Record<string, string>> {
  const pattern = examples ? /^#?([A-Z][A-Z0-9_]*)=(.*)$/gm : /^([A-Z][A-Z0-9_]*)=(.*)$/gm;
  return Object.fromEntries([...text.matchAll(pattern)].map(([, name, value]) => [name, value]));
}

/**
 * The shortest time in ms that a gateway with this `DRAIN_MS` may be given to end before it is killed: its clients move, then
 * parts close, of which the one with requests in flight takes up to the deadline of src/gateway.ts, and 4 s for all others.
 */
export function graceMsFor(drainMs: number): number {
  const [, deadline] = /^const CLOSE_DEADLINE_MS = (\d+);$/m.exec(textOf('src/gateway.ts')) ?? [];
  if (deadline === undefined) throw new Error('src/gateway.ts has no CLOSE_DEADLINE_MS');
  return drainMs + Number(deadline) + 4000;
}

/** A number of seconds as service managers write them: `25`, `25s`, `25 sec`; in ms. */
export function secondsToMs(text: string | number): number {
  const [, seconds] = /^(\d+) ?(?:s|sec)?$/.exec(String(text)) ?? [];
  if (seconds === undefined) throw new Error(`${String(text)} is no number of seconds`);
  return Number(seconds) * 1000;
}
