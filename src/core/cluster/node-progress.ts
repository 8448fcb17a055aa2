import type { ProfileName } from '../config/profile.js';
import { Refusal } from '../errors.js';
import type { FlipReport } from '../flip/flip-report.js';
import { NodeGone } from './flip-answer.js';

/** What is known of a node that is being flipped by another one, from what it answers. */
export class NodeProgress {
  readonly #to: ProfileName;
  #flip: number | undefined;
  #left = Infinity;
  #madeAt: number;

  /** `now`: {@link Clock.elapsed}, as everywhere here. */
  constructor(to: ProfileName, now: number) {
    this.#to = to;
    this.#madeAt = now;
  }

  /** True once it is known that the node has begun. */
  get isBegun(): boolean {
    return this.#flip !== undefined;
  }

  /** When it was found last that the node got on. */
  get madeAt(): number {
    return this.#madeAt;
  }

  /** Takes what the node answered: it is through (`moved`), it can't be flipped (a refusal), or it goes on (undefined). */
  learn(answer: FlipReport | Refusal, now: number): Refusal | 'moved' | undefined {
    if (answer instanceof NodeGone) return answer;
    // It may just be slow, or Redis away.
    if (answer instanceof Refusal) return answer.code === 'node_unavailable' ? undefined : answer;
    const { profile, flip } = answer;
    const own = flip?.to === this.#to ? flip : undefined;
    if (this.#flip !== undefined && flip !== null && flip.id > this.#flip) {
      return new Refusal('flip_failed', `another flip, to ${flip.to}, took its place`);
    }
    if (profile === this.#to) {
      if (own?.state !== 'draining') return 'moved';
    } else if (own?.state !== 'switching') {
      // Not begun, or it was restarted.
      this.#flip = undefined;
      return undefined;
    }
    if (this.#flip === undefined || own.sessions.left < this.#left) this.#madeAt = now;
    this.#flip = own.id;
    this.#left = own.sessions.left;
    return undefined;
  }
}
