import type { Fields } from './fields.js';
import { nodesOf } from './node-list.js';

/**
 * Which node's figures the page shows. Behind a proxy another node may answer each time: then those of one are shown, the first
 * that answered, and what the others say of themselves is left out. Where that node is gone, or was started anew, the one that
 * answers takes its place.
 */
export class AnsweringNodes {
  readonly #now: () => number;
  #own: string | undefined;
  /** When the own node answered last, ms. */
  #heardAt = 0;
  #areSeveral = false;

  /** `now` tells the time in ms, from anywhere. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** The node that is shown; undefined before the first answer, and where a gateway is by itself. */
  get own(): string | undefined {
    return this.#own;
  }

  /** True where another node answers too, while the one that is shown is there. */
  get areSeveral(): boolean {
    return this.#areSeveral;
  }

  /** Takes a status; true when it is of the node that is shown. */
  take(status: Fields): boolean {
    const nodes = nodesOf(status);
    const here = nodes.find((node) => node.flag('thisNode') === true);
    const id = here?.text('id');
    const isKnown = nodes.some((node) => node.text('id') === this.#own);
    // What was killed is known for a while yet; what was started in its place is younger than its last answer.
    const ageMs = (here?.number('uptimeSeconds') ?? Number.POSITIVE_INFINITY) * 1000;
    const isReplaced = id !== this.#own && (!isKnown || ageMs < this.#now() - this.#heardAt);
    if (id !== this.#own && !isReplaced) {
      this.#areSeveral = true;
      return false;
    }
    if (isReplaced || nodes.length < 2) this.#areSeveral = false;
    this.#own = id;
    this.#heardAt = this.#now();
    return true;
  }
}
