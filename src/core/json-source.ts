import { Refusal } from './errors.js';
import {
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  endOfString,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
} from './json-characters.js';
import { parseJson } from './parse-json.js';

/** JSON's whitespace (space, tab, LF, CR) is all that valid text has up to here outside of strings. */
const SPACE = 0x20;

/** A JSON text that was read by {@link parseWithSources}. */
export interface ParsedJson {
  readonly value: unknown;
  /** One per element of an array, one for an object, none for any other value; undefined where there is no such member. */
  readonly sources: readonly (string | undefined)[];
}

/**
 * Parses JSON, and finds the source text of the member `name` in the object, or in each object of the array, that it is. So a
 * value can be passed on as it was sent: `JSON.stringify` of a parsed value has rounded long numbers, null for `1e400`, and another
 * order of members.
 *
 * Of several members of the same name the last counts, as for `JSON.parse`. Names are compared unescaped. Whitespace between
 * tokens is left out, so that a source is one line. Linear, and without recursion. Refuses what {@link parseJson} refuses.
 */
export function parseWithSources(text: string, name: string): ParsedJson | Refusal {
  const parsed = parseJson(text);
  if (parsed instanceof Refusal) return parsed;
  return { value: parsed.value, sources: new SourceScanner(text, name).read() };
}

/** Reads through a valid JSON text, once, from `#at` on. */
class SourceScanner {
  readonly #text: string;
  readonly #name: string;
  /** The name as it is usually written. */
  readonly #quotedName: string;
  #at = 0;

  constructor(text: string, name: string) {
    this.#text = text;
    this.#name = name;
    this.#quotedName = JSON.stringify(name);
  }

  read(): (string | undefined)[] {
    const first = this.#nextCode();
    if (first === OPEN_OBJECT) return [this.#readObject()];
    if (first !== OPEN_ARRAY) return [];
    const sources: (string | undefined)[] = [];
    this.#at += 1;
    while (this.#nextCode() !== CLOSE_ARRAY) {
      if (this.#nextCode() === OPEN_OBJECT) sources.push(this.#readObject());
      else {
        this.#passValue();
        sources.push(undefined);
      }
      if (this.#nextCode() === COMMA) this.#at += 1;
    }
    return sources;
  }

  #readObject(): string | undefined {
    let source: string | undefined;
    this.#at += 1;
    while (this.#nextCode() !== CLOSE_OBJECT) {
      const isNamed = this.#readName();
      if (this.#nextCode() === COLON) this.#at += 1;
      this.#nextCode();
      if (isNamed) source = this.#takeValue();
      else this.#passValue();
      if (this.#nextCode() === COMMA) this.#at += 1;
    }
    this.#at += 1;
    return source;
  }

  /** Reads a member's name; true when it is the one that is looked for. */
  #readName(): boolean {
    const start = this.#at;
    this.#at = endOfString(this.#text, start);
    if (this.#at - start === this.#quotedName.length && this.#text.startsWith(this.#quotedName, start))
      return true;
    const quoted = this.#text.slice(start, this.#at);
    return quoted.includes('\\') && JSON.parse(quoted) === this.#name;
  }

  /** The next character that is no whitespace, which is not passed; NaN at the end. */
  #nextCode(): number {
    let code = this.#text.charCodeAt(this.#at);
    while (code <= SPACE) {
      this.#at += 1;
      code = this.#text.charCodeAt(this.#at);
    }
    return code;
  }

  /** Passes a value; true when there is whitespace between its tokens. */
  #passValue(): boolean {
    const text = this.#text;
    let at = this.#at;
    let open = 0;
    let isSpaced = false;
    const first = text.charCodeAt(at);
    if (first === QUOTE) at = endOfString(text, at);
    else if (first === OPEN_ARRAY || first === OPEN_OBJECT) {
      do {
        const code = text.charCodeAt(at);
        if (code === QUOTE) at = endOfString(text, at) - 1;
        else if (code === OPEN_ARRAY || code === OPEN_OBJECT) open += 1;
        else if (code === CLOSE_ARRAY || code === CLOSE_OBJECT) open -= 1;
        else if (code <= SPACE) isSpaced = true;
        at += 1;
      } while (open > 0);
    } else at = endOfWord(text, at);
    this.#at = at;
    return isSpaced;
  }

  #takeValue(): string {
    const start = this.#at;
    const isSpaced = this.#passValue();
    const source = this.#text.slice(start, this.#at);
    if (isSpaced) return withoutSpaces(source);
    // A slice keeps all of its text in memory.
    return 2 * source.length < this.#text.length ? Buffer.from(source).toString() : source;
  }
}

/** The end of the number, `true`, `false` or `null` that begins at `at`. */
function endOfWord(text: string, at: number): number {
  let end = at;
  let code: number;
  do {
    end += 1;
    code = text.charCodeAt(end);
  } while (code > SPACE && code !== COMMA && code !== CLOSE_ARRAY && code !== CLOSE_OBJECT);
  return end;
}

/** JSON text without the whitespace between its tokens. */
function withoutSpaces(text: string): string {
  const parts: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at) - 1;
    else if (code <= SPACE) {
      if (at > start) parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts.join('');
}
