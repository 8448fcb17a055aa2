import { distance } from 'fastest-levenshtein';
import { VARIABLES_BY_ENV } from './schema.js';

const OWN_PREFIX = 'FLIPGATE_';
/** Names that other programs commonly use, and that are as near to one of ours as a slip of the finger. */
const FOREIGN: ReadonlySet<string> = new Set(['ENABLE_SSL']);
/** Variables shorter than this are near to too many foreign names. */
const LEAST_LENGTH = 6;
/** From this length on a name may have two slips and still be unlike any other. */
const LONG = 10;

/**
 * The variable that a misspelt name stands for, where that is all but certain: one letter too many, missing or wrong
 * (two in a long name), two neighbours in the wrong order, another case, or `FLIPGATE_` in front. For names of the
 * process environment, most of which belong to other programs.
 */
export function certainlyMeant(name: string): string | undefined {
  const written = withoutPrefix(name.toUpperCase());
  if (FOREIGN.has(written)) return undefined;
  const { meant, slips } = nearest(written);
  if (meant.length < LEAST_LENGTH) return slips === 0 && hasPrefix(name) ? meant : undefined;
  return slips <= (meant.length >= LONG ? 2 : 1) ? meant : undefined;
}

/** The variable that a name most likely stands for: at most a quarter of its letters differ. For names in an env file or a config file. */
export function probablyMeant(name: string): string | undefined {
  const { meant, slips } = nearest(withoutPrefix(name.toUpperCase()));
  return slips <= Math.max(1, Math.floor(meant.length / 4)) ? meant : undefined;
}

/** True for a name that only flipgate's variables have; false for those that Kubernetes makes of a Service `flipgate`. */
export function hasPrefix(name: string): boolean {
  return (
    name.startsWith(OWN_PREFIX) && !/_SERVICE_(HOST|PORT)(_|$)|_PORT(_\d+_(TCP|UDP|SCTP)(_|$)|$)/.test(name)
  );
}

/** `FLIPGATE_PORT` is `PORT` to who wrote it; `FLIPGATE_TOKEN` is a variable itself. */
function withoutPrefix(name: string): string {
  const rest = hasPrefix(name) ? name.slice(OWN_PREFIX.length) : name;
  return VARIABLES_BY_ENV.has(rest) ? rest : name;
}

function nearest(written: string): { readonly meant: string; readonly slips: number } {
  const all = [...VARIABLES_BY_ENV.keys()].map((meant) => ({ meant, slips: slipsBetween(written, meant) }));
  return all.reduce((best, one) => (one.slips < best.slips ? one : best));
}

/** Letters that are too many, missing or wrong; two neighbours in the wrong order are one slip. */
function slipsBetween(written: string, name: string): number {
  return areSwapped(written, name) ? 1 : distance(written, name);
}

function areSwapped(written: string, name: string): boolean {
  let at = 0;
  while (at < name.length && name[at] === written[at]) at += 1;
  const swapped = `${name.slice(0, at)}${name.charAt(at + 1)}${name.charAt(at)}${name.slice(at + 2)}`;
  return written !== name && written === swapped;
}
