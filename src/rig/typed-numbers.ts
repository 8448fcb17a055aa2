import { InvalidArgumentError } from 'commander';

/** Reads what is typed for an option that is a whole number of at least `least`. */
export function count(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least || text.trim() === '') {
      throw new InvalidArgumentError(`It must be a whole number of at least ${String(least)}.`);
    }
    return value;
  };
}

/** Reads what is typed for an option that is a number of at least 0. */
export function amount(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0 || text.trim() === '') {
    throw new InvalidArgumentError('It must be a number of at least 0.');
  }
  return value;
}

/** Reads what is typed for an option that is any number. */
export function anyNumber(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || text.trim() === '') throw new InvalidArgumentError('It must be a number.');
  return value;
}
