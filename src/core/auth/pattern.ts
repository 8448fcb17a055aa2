/** Most characters of a pattern. */
const MAX_LENGTH = 128;
const PATTERN = /^[A-Za-z0-9_.:*-]+$/;

/** True for a name, or part of names: 1–128 of `A-Z a-z 0-9 _ . : -`, and `*` for any run of them. */
export function isPattern(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_LENGTH && PATTERN.test(value);
}

/**
 * Whether `name` fits a pattern, in which `*` stands for any run of characters, none included. Takes at most the product of
 * both lengths, whatever they are.
 */
export function fits(pattern: string, name: string): boolean {
  let at = 0;
  let inName = 0;
  // Where the last star was, and how much of the name it stands for so far.
  let star = -1;
  let starEnd = 0;
  while (inName < name.length) {
    if (pattern[at] === '*') {
      star = at;
      starEnd = inName;
      at += 1;
    } else if (pattern[at] === name[inName]) {
      at += 1;
      inName += 1;
    } else if (star !== -1) {
      starEnd += 1;
      at = star + 1;
      inName = starEnd;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}
