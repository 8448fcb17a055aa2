import { ADMIN_RIGHTS, parseRights, Rights, type RightsSpec } from '../core/auth/rights.js';
import type { Fields } from './fields.js';

/** Who this page is to the gateway, and what it may do there. What is not known is allowed: the gateway decides anyway. */
export class Permissions {
  /** Nothing is known, as of a gateway that does not answer. */
  static readonly UNKNOWN = new Permissions('', Rights.ALL, null);

  /** `key:<id>`, `user:<name>` or `address:<ip>`; empty when it is not known. */
  readonly id: string;
  /** Epoch ms; null: never. */
  readonly expiresAt: number | null;
  readonly #rights: Rights;

  private constructor(id: string, rights: Rights, expiresAt: number | null) {
    this.id = id;
    this.#rights = rights;
    this.expiresAt = expiresAt;
  }

  /** Reads what `GET /api/me` says. */
  static of(me: Fields): Permissions {
    const rights = parseRights(me.value('rights'));
    return new Permissions(
      me.text('id') ?? '',
      rights instanceof Rights ? rights : Rights.ALL,
      me.number('expiresAt') ?? null,
    );
  }

  /** False where the page is known by nothing but its address. */
  get isKnown(): boolean {
    return this.id !== '' && !this.id.startsWith('address:');
  }

  /** True where there is nobody to tell apart: whoever comes may do everything. */
  get isOpen(): boolean {
    const { subscribe, publish, command, admin } = this.lists;
    return !this.isKnown && [subscribe, publish, command, admin].every((patterns) => patterns.includes('*'));
  }

  /** The patterns of names for each right. */
  get lists(): RightsSpec {
    return this.#rights.toJSON();
  }

  /** Whether it may: receive anything at all (`subscribe`), administer this, or else send this command. */
  may(need: string): boolean {
    if (need === 'subscribe') return this.lists.subscribe.length > 0;
    const right = ADMIN_RIGHTS.find((name) => name === need);
    return right === undefined ? this.#rights.mayCommand(need) : this.#rights.mayAdminister(right);
  }

  /** Why it may not have some of `needs`, as {@link may} takes them, for people; empty when it may have all. */
  whyNot(...needs: readonly string[]): string {
    const missing = needs.filter((need) => !this.may(need));
    const [first] = missing;
    if (first === undefined) return '';
    const isRight = first === 'subscribe' || ADMIN_RIGHTS.some((name) => name === first);
    const right = isRight ? `“${first}”` : `“command” for ${missing.join(', ')}`;
    return this.isKnown
      ? `Needs the right ${right}, which ${this.id} does not have.`
      : `Needs the right ${right}, which takes a key or token.`;
  }
}
