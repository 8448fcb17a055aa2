import type { Denials } from '../auth/denials.js';
import type { DeniedPrincipals, Denial } from '../auth/denied-principals.js';
import type { Clock } from '../clock.js';
import { Refusal } from '../errors.js';
import type { DenialRecords, DenialsVersion } from './denial-records.js';

/** How often the state of the list in Redis is looked at, ms: as long another node's denial takes to count here. */
const LOOK_MS = 1000;
/** Pause before the list is looked for again at the start, ms. */
const RETRY_MS = 250;

/** What {@link ClusterDenials} work with. */
export interface ClusterDenialsParts {
  readonly records: DenialRecords;
  /** The list as this node knows it. */
  readonly denied: DeniedPrincipals;
  readonly clock: Clock;
}

/**
 * Shares the list of who is denied with all nodes on one Redis. While Redis is away, this node keeps what it knows; where Redis
 * has lost the list, or part of it, the nodes put back what they know.
 */
export class ClusterDenials implements Denials {
  readonly #parts: ClusterDenialsParts;
  /** The state this node has; undefined: it has read none. */
  #known: DenialsVersion | undefined;
  #looking: Promise<boolean> | undefined;
  /** Settles when what was asked of Redis so far is over: answers are taken over in their order. */
  #turn: Promise<unknown> = Promise.resolve();
  #stop: () => void = () => undefined;
  #isClosed = false;

  constructor(parts: ClusterDenialsParts) {
    this.#parts = parts;
  }

  /** Reads the list, and goes on looking for changes. Resolves once it was read. */
  async start(): Promise<void> {
    const { clock } = this.#parts;
    while (!this.#isClosed && !(await this.#look())) {
      await new Promise<void>((resolve) => void clock.after(RETRY_MS, resolve));
    }
    if (!this.#isClosed) this.#stop = clock.every(LOOK_MS, () => void this.#look());
  }

  deny(denial: Denial): Promise<Refusal | undefined> {
    return this.#inTurn(async () => {
      const refusal = await this.#parts.records.put(denial);
      // Here it counts at once, without a look at what else has changed.
      if (refusal === undefined) this.#parts.denied.add(denial);
      return refusal;
    });
  }

  lift(principal: string): Promise<boolean | Refusal> {
    return this.#inTurn(async () => {
      const lifted = await this.#parts.records.lift(principal, this.#parts.clock.now());
      if (!(lifted instanceof Refusal)) this.#parts.denied.remove(principal);
      return lifted;
    });
  }

  /** Looks no more. */
  close(): void {
    this.#isClosed = true;
    this.#stop();
  }

  /** Takes over what has changed in Redis. False: Redis did not answer. Never rejects; looks once at a time. */
  #look(): Promise<boolean> {
    this.#looking ??= this.#inTurn(() => this.#compare()).finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  #inTurn<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    const answer = this.#turn.then(work);
    this.#turn = answer;
    return answer;
  }

  async #compare(): Promise<boolean> {
    const { records, denied } = this.#parts;
    const known = this.#known;
    const there = await records.version();
    if (there instanceof Refusal) return false;
    if (there?.epoch === known?.epoch && there?.version === known?.version) return true;
    if (known !== undefined && isOlder(there, known)) {
      const refusal = await records.restore(denied.newest());
      if (refusal !== undefined) return false;
    }
    const read = await records.read();
    if (read instanceof Refusal) return false;
    this.#known = read;
    denied.replace(read?.denials ?? []);
    return true;
  }
}

/** Whether Redis has lost what made up the state `known`. */
function isOlder(there: DenialsVersion | undefined, known: DenialsVersion): boolean {
  return there === undefined || there.epoch !== known.epoch || there.version < known.version;
}
