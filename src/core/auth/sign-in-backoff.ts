import { addressBlock } from '../address-block.js';
import type { Clock } from '../clock.js';
import { Refusal } from '../errors.js';
import { KeyGuesses } from './key-guesses.js';
import { SignatureBudget } from './signature-budget.js';

/**
 * Says when credentials of an address are not looked at because too many wrong ones came from there: API keys, which might be
 * guessed, and JWTs, whose checks cost. Addresses count by {@link addressBlock}.
 */
export class SignInBackoff {
  readonly #keys: KeyGuesses;
  readonly #signatures: SignatureBudget;

  constructor(clock: Clock) {
    this.#keys = new KeyGuesses(clock);
    this.#signatures = new SignatureBudget(clock);
  }

  /** `too_many_attempts` where an API key, by its digest, is not looked at now. */
  refusalOfKey(address: string, digest: string): Refusal | undefined {
    return tooManyIn(this.#keys.waitOf(addressBlock(address), digest));
  }

  /** An API key was found. */
  goodKey(address: string, digest: string): void {
    this.#keys.good(addressBlock(address), digest);
  }

  /** Something was shown that is no API key. */
  wrongKey(address: string, digest: string): void {
    this.#keys.wrong(addressBlock(address), digest);
  }

  /** `too_many_attempts` where a JWT, by its digest, is not checked now. */
  refusalOfJwt(address: string, digest: string): Refusal | undefined {
    return tooManyIn(this.#signatures.waitOf(addressBlock(address), digest));
  }

  /** A JWT was checked, and is a good one. */
  goodJwt(digest: string): void {
    this.#signatures.good(digest);
  }

  /** A JWT was checked, and is a wrong one. */
  wrongJwt(address: string, digest: string): void {
    this.#signatures.wrong(addressBlock(address), digest);
  }
}

function tooManyIn(waitMs: number): Refusal | undefined {
  if (waitMs <= 0) return undefined;
  const message = 'too many wrong keys or tokens came from this address: wait, then try again';
  return new Refusal('too_many_attempts', message, Math.ceil(waitMs));
}
