import { Refusal } from './errors.js';
import { CLOSE_ARRAY, CLOSE_OBJECT, endOfString, OPEN_ARRAY, OPEN_OBJECT, QUOTE } from './json-characters.js';

/**
 * Deepest nesting of JSON text from outside, the text as a whole. `JSON.parse` takes half a second for 2 MB of `[`, and programs
 * that parse by recursion break: Python's `json` stops at about 1000 levels, PHP's at 512.
 */
export const MAX_JSON_DEPTH = 100;

/**
 * Parses JSON text from outside. Refused: `invalid_json`, for text that is no JSON or is nested deeper than `maxDepth` levels. The
 * depth is looked at first.
 */
export function parseJson(text: string, maxDepth = MAX_JSON_DEPTH): { readonly value: unknown } | Refusal {
  if (isDeeperThan(text, maxDepth)) {
    return new Refusal('invalid_json', `JSON may be nested at most ${String(maxDepth)} levels deep`);
  }
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return new Refusal('invalid_json', error instanceof Error ? error.message : String(error));
  }
}

/**
 * True when more than `depth` brackets are open at a time in `text`, those in strings left out. Takes any text, also one that
 * is no JSON: `JSON.parse` never goes deeper into it. Linear, and without recursion.
 */
export function isDeeperThan(text: string, depth: number): boolean {
  if (text.length <= depth) return false;
  let open = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at) - 1;
    else if (code === OPEN_ARRAY || code === OPEN_OBJECT) open += 1;
    else if ((code === CLOSE_ARRAY || code === CLOSE_OBJECT) && open > 0) open -= 1;
    if (open > depth) return true;
  }
  return false;
}
