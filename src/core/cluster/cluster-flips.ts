import type { Clock } from '../clock.js';
import type { ProfileName } from '../config/profile.js';
import type { FlipAccepted, FlipOrigin, FlipReport } from '../flip/flip-report.js';
import type { Flips, FlipsReport, Rollout } from '../flip/flips.js';
import type { ProfileSwitch } from '../flip/profile-switch.js';
import { Refusal } from '../errors.js';
import type { Logger } from '../logger.js';
import type { NodeMessages } from './node-messages.js';
import type { ClusterView } from './node-registry.js';
import { NodeGone, readReport } from './flip-answer.js';
import { fieldsOf, readRefusal, refusalAnswer } from './node-answer.js';
import { NodeProgress } from './node-progress.js';
import { RolloutRecord } from './rollout-record.js';

/** The subjects of these requests: a flip, and how it goes on. */
const FLIP = 'flip';
const REPORT = 'flip-report';
/** How often another node is asked how far it is, ms. */
const ASK_MS = 250;
/** A node that makes no progress for so long has failed, ms. */
const PATIENCE_MS = 15_000;
/** How long after a rollout the nodes are asked whether their clients have come back, and how often, ms. */
const RECOUNT_MS = 30_000;
const RECOUNT_EVERY_MS = 500;

/** What {@link ClusterFlips} work with. */
export interface ClusterFlipsParts {
  readonly node: ProfileSwitch;
  readonly registry: { beat(): Promise<void>; view(): ClusterView };
  readonly messages: Pick<NodeMessages, 'serve' | 'ask'>;
  /** ms in which a node that makes progress may still end fewer sessions than one. */
  readonly drainMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Flips all nodes, one after the other: the next when the clients of the one before have been disconnected. A node that
 * ended meanwhile is passed over: its clients have gone to the others by themselves.
 */
export class ClusterFlips implements Flips {
  readonly #id: string;
  readonly #parts: ClusterFlipsParts;
  #rollout: RolloutRecord | undefined;
  #rollouts = 0;

  /** `id` is this node's. */
  constructor(id: string, parts: ClusterFlipsParts) {
    this.#id = id;
    this.#parts = parts;
    parts.messages.serve(FLIP, (body) => this.#flipFor(body));
    parts.messages.serve(REPORT, () => parts.node.report());
  }

  async flip(to: unknown, origin: FlipOrigin, accepted?: FlipAccepted): Promise<FlipsReport | Refusal> {
    const report = await this.#parts.node.flip(to, origin, accepted);
    return report instanceof Refusal ? report : { ...this.report(), repeated: report.repeated };
  }

  async flipAll(to: unknown, origin: FlipOrigin, accepted?: FlipAccepted): Promise<FlipsReport | Refusal> {
    const { node, registry, clock, logger } = this.#parts;
    const profile = node.check(to);
    if (profile instanceof Refusal) return profile;
    await registry.beat();
    const view = registry.view();
    if (!view.reachable) {
      return new Refusal('node_unavailable', 'the other gateways can not be reached: Redis is away', 1000);
    }
    this.#rollout?.supersede();
    this.#rollouts += 1;
    const id = this.#rollouts;
    const rollout = new RolloutRecord(
      { id, to: profile, ...origin, startedAt: clock.now() },
      // This one last: who watches the rollout through it watches on.
      view.nodes.toSorted((one, other) => Number(one.id === this.#id) - Number(other.id === this.#id)),
    );
    this.#rollout = rollout;
    const repeated = rollout.isRepeated;
    accepted?.(profile, id);
    logger.info('all nodes are being flipped', {
      audit: 'rollout',
      to: profile,
      ...origin,
      nodes: view.nodes.length,
    });
    void this.#run(rollout, profile, origin);
    return { ...this.report(), repeated };
  }

  report(): FlipsReport {
    return { ...this.#parts.node.report(), node: this.#id, rollout: this.#rolloutReport() };
  }

  #rolloutReport(): Rollout | null {
    return this.#rollout?.toReport() ?? null;
  }

  async #run(rollout: RolloutRecord, to: ProfileName, origin: FlipOrigin): Promise<void> {
    const { logger } = this.#parts;
    for (const { id } of rollout.toReport().nodes) {
      if (rollout.isOver) return;
      const failure = await this.#runOne(rollout, id, to, origin);
      if (failure === undefined) continue;
      const { code, message: reason } = failure;
      const facts = { audit: 'rollout', to, ...origin, node: id, code, reason };
      if (failure instanceof NodeGone) {
        rollout.pass(id, failure);
        logger.warn('a node ended before it was flipped and is passed over', facts);
        continue;
      }
      rollout.fail(id, failure);
      logger.error('a node could not be flipped, the others are left as they are', facts);
      return;
    }
    rollout.end();
    logger.info('all nodes were flipped', { audit: 'rollout', to, ...origin });
    await this.#recount(rollout);
  }

  /** Clients come back some time after the node they left has flipped, and perhaps to another one. */
  async #recount(rollout: RolloutRecord): Promise<void> {
    const { clock } = this.#parts;
    const until = clock.elapsed() + RECOUNT_MS;
    while (rollout === this.#rollout && clock.elapsed() < until) {
      const { awaiting } = rollout;
      if (awaiting.length === 0) return;
      for (const id of awaiting) {
        const report = await this.#reportOf(id);
        if (!(report instanceof Refusal)) rollout.recount(id, report);
      }
      await this.#pause(RECOUNT_EVERY_MS);
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#parts.clock.after(ms, resolve));
  }

  /** Flips a node and waits until its clients have moved; a refusal when that can't be done. */
  async #runOne(
    rollout: RolloutRecord,
    id: string,
    to: ProfileName,
    origin: FlipOrigin,
  ): Promise<Refusal | undefined> {
    const { clock, drainMs } = this.#parts;
    const progress = new NodeProgress(to, clock.elapsed());
    while (!rollout.isOver) {
      // A request that was lost is made again: what is served already is not flipped.
      const report = progress.isBegun ? await this.#reportOf(id) : await this.#ask(id, to, origin);
      const end = progress.learn(report, clock.elapsed());
      if (end instanceof Refusal) return end;
      if (!(report instanceof Refusal)) {
        if (end === 'moved') rollout.moved(id, report);
        else if (progress.isBegun) rollout.progress(id, report);
      }
      if (end === 'moved') return undefined;
      if (clock.elapsed() - progress.madeAt > PATIENCE_MS + drainMs) {
        return report instanceof Refusal
          ? report
          : new Refusal('flip_failed', 'its clients have not moved in time');
      }
      await this.#pause(ASK_MS);
    }
    return undefined;
  }

  async #ask(id: string, profile: ProfileName, origin: FlipOrigin): Promise<FlipReport | Refusal> {
    if (id === this.#id) return this.#parts.node.flip(profile, origin);
    const { by, address } = origin;
    return read(await this.#parts.messages.ask(id, FLIP, { profile, by, address }));
  }

  async #reportOf(id: string): Promise<FlipReport | Refusal> {
    if (id === this.#id) return this.#parts.node.report();
    return read(await this.#parts.messages.ask(id, REPORT, {}));
  }

  async #flipFor(body: unknown): Promise<object> {
    const { profile, by, address } = fieldsOf(body);
    const report = await this.#parts.node.flip(profile, {
      by: typeof by === 'string' ? by : 'unknown',
      address: typeof address === 'string' ? address : null,
      via: 'cluster',
    });
    return report instanceof Refusal ? refusalAnswer(report) : report;
  }
}

/** What another node answered; undefined when there is no such node any more. */
function read(answer: { readonly body: unknown } | Refusal | undefined): FlipReport | Refusal {
  if (answer instanceof Refusal) return answer;
  if (answer === undefined) return new NodeGone();
  const refusal = readRefusal(answer.body);
  // It takes its clients with it, to nodes that are left.
  if (refusal?.code === 'shutting_down') return new NodeGone();
  return (
    refusal ??
    readReport(answer.body) ??
    new Refusal('flip_failed', 'this gateway answers what is not understood')
  );
}
