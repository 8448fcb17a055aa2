import type { Permissions } from './permissions.js';

/**
 * Says in each card that names what it needs, as `data-needs`, why that may not be had. Such a card hides the rest of what it
 * has, but for parts that are marked `data-keeps`.
 */
export class CardLocks {
  readonly #cards: readonly {
    readonly card: HTMLElement;
    readonly needs: readonly string[];
    readonly note: HTMLElement;
  }[];

  constructor(page: ParentNode) {
    this.#cards = [...page.querySelectorAll<HTMLElement>('[data-needs]')].map((card) => {
      const note = document.createElement('p');
      note.className = 'locked';
      note.hidden = true;
      card.querySelector('.card-head')?.after(note);
      return { card, needs: (card.dataset['needs'] ?? '').split(' '), note };
    });
  }

  /** Shows what may be had, and what may not. */
  show(permissions: Permissions): void {
    for (const { card, needs, note } of this.#cards) {
      const why = permissions.whyNot(...needs);
      card.toggleAttribute('data-locked', why !== '');
      note.hidden = why === '';
      note.textContent = why;
    }
  }
}
