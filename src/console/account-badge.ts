import type { Permissions } from './permissions.js';
import { formatTimeOfDay } from './quantity.js';

/** The elements that say who this page is. */
export interface AccountBadgeParts {
  /** Opens and closes; hidden where there is nobody to tell apart. */
  readonly box: HTMLDetailsElement;
  readonly id: HTMLElement;
  readonly rights: HTMLDListElement;
  readonly signIn: HTMLButtonElement;
  readonly signOut: HTMLButtonElement;
}

/** What the rights are called on the page. */
const RIGHTS = {
  subscribe: 'Receives',
  publish: 'Publishes',
  command: 'Commands',
  admin: 'Administers',
} as const;

/** Who this page is, what it may do, and the way in and out. */
export class AccountBadge {
  readonly #parts: AccountBadgeParts;

  /** `signIn` and `signOut` hear that one was asked for. */
  constructor(parts: AccountBadgeParts, signIn: () => void, signOut: () => void) {
    this.#parts = parts;
    const { box } = parts;
    parts.signIn.addEventListener('click', signIn);
    parts.signOut.addEventListener('click', signOut);
    document.addEventListener('click', ({ target }) => {
      if (target instanceof Node && !box.contains(target)) box.open = false;
    });
    box.addEventListener('keydown', ({ key }) => {
      if (key !== 'Escape' || !box.open) return;
      box.open = false;
      box.querySelector('summary')?.focus();
    });
  }

  /** The page is in; `hasToken`: by what it shows itself, so that it can stop to. */
  show(permissions: Permissions, hasToken: boolean): void {
    const { box, id, rights, signIn, signOut } = this.#parts;
    const { isKnown, isOpen, lists, expiresAt } = permissions;
    box.hidden = isOpen;
    id.textContent = isKnown ? permissions.id : 'nobody in particular';
    signIn.hidden = isOpen || hasToken;
    signOut.hidden = !hasToken;
    const rows = Object.entries(RIGHTS).map(([kind, words]) => {
      const patterns = lists[kind as keyof typeof RIGHTS];
      return [words, describePatterns(patterns)];
    });
    if (expiresAt !== null) rows.push(['Until', formatTimeOfDay(expiresAt / 1000).slice(0, 8)]);
    rights.replaceChildren(
      ...rows.map(([words, text]) => {
        const row = document.createElement('div');
        const term = document.createElement('dt');
        const value = document.createElement('dd');
        term.textContent = words ?? '';
        value.textContent = text ?? '';
        row.append(term, value);
        return row;
      }),
    );
  }

  /** The page is out. */
  showOut(): void {
    const { box, signIn } = this.#parts;
    box.hidden = true;
    box.open = false;
    signIn.hidden = false;
  }
}

function describePatterns(patterns: readonly string[]): string {
  if (patterns.includes('*')) return 'everything';
  return patterns.join(', ') || 'nothing';
}
