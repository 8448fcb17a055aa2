/** Codes of the characters that give JSON text its structure. */
export const QUOTE = 0x22;
export const COLON = 0x3a;
export const COMMA = 0x2c;
export const OPEN_ARRAY = 0x5b;
export const CLOSE_ARRAY = 0x5d;
export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;
const BACKSLASH = 0x5c;
/** Characters of a string that are looked at one by one. */
const SHORT = 32;

/** The end of the string that begins at `at`, behind its closing quote; the end of the text where it has none. */
export function endOfString(text: string, at: number): number {
  let end = at + 1;
  // Most strings are short: a call costs more than looking at them does.
  for (const near = end + SHORT; end < near; end += 1) {
    const code = text.charCodeAt(end);
    if (code === QUOTE) return end + 1;
    if (code === BACKSLASH) end += 1;
  }
  for (;;) {
    const quote = text.indexOf('"', end);
    if (quote === -1) return text.length;
    let escapes = quote;
    while (escapes > end && text.charCodeAt(escapes - 1) === BACKSLASH) escapes -= 1;
    end = quote + 1;
    if ((quote - escapes) % 2 === 0) return end;
  }
}
