import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { CpuTimes } from '../rig/cpu-times.js';
import { distributionOf } from '../rig/distribution.js';
import { until } from '../rig/until.js';
import type { DrillOptions } from './drill-options.js';
import type { KindResult, StepResult } from './drill-result.js';
import type {
  ClientKind,
  FaultCount,
  Progress,
  StepFaults,
  StepStretch,
  StepStretches,
  Target,
} from './load/messages.js';
import { STREAMS } from './publish/drill-event.js';
import type { Stage } from './stage/stage.js';
import type { Step } from './steps.js';
import type { TimelineRecord } from './timeline.js';

/** How often it is asked whether everybody is back, ms. */
const ASK_MS = 100;

/** What a step left behind, its clients' faults aside: those are known when nothing is to come any more. */
interface Trace {
  readonly step: Step;
  /** Epoch ms; a step begins where the one before ended. */
  readonly from: number;
  readonly to: number;
  readonly actedAt: number;
  readonly backAt: number;
  readonly trouble: string | null;
  readonly overdue: Readonly<Record<ClientKind, number>>;
  readonly stretches: StepStretches;
  readonly cores: Readonly<Record<string, number>>;
}

/** Runs steps, one after the other, and says at the end how each went. */
export class StepRunner {
  readonly #options: DrillOptions;
  readonly #stage: Stage;
  readonly #record: TimelineRecord;
  readonly #traces: Trace[] = [];
  readonly #cpu = new CpuTimes();
  readonly #startedAt: number;
  /** Where the next step begins: epoch ms, and each publisher's next number. */
  #from: number;
  #begun: Readonly<Record<string, number>> = {};

  /** `startedAt`: when the first step begins, epoch ms. */
  constructor(options: DrillOptions, stage: Stage, record: TimelineRecord, startedAt: number) {
    this.#options = options;
    this.#stage = stage;
    this.#record = record;
    this.#startedAt = startedAt;
    this.#from = startedAt;
  }

  /** Does what the step does, waits until everybody is back and the time is over; `isLast`: nothing is published after. */
  async run(step: Step, isLast: boolean): Promise<Trace> {
    const { publishers } = this.#stage;
    const { hold } = this.#options;
    const begunAt = Date.now();
    const cpuBefore = this.#readCpu();
    const failure = await this.#act(step);
    const actedAt = Date.now();
    const first = await this.#untilBack(step, publishers.target);
    const backAt = Date.now();
    await sleep(hold * 1000);
    if (isLast) await publishers.stop();
    const to = Date.now();
    const trouble = failure ?? this.#missingNode();
    const stretches = this.#stretches();
    const target = publishers.target;
    const cpuAfter = this.#readCpu();
    const last = await this.#untilBack(step, target);
    const trace: Trace = {
      step,
      from: this.#from,
      to: isLast ? Date.now() : to,
      actedAt,
      backAt,
      trouble,
      overdue: { sdk: Math.max(first.sdk, last.sdk), legacy: Math.max(first.legacy, last.legacy) },
      stretches,
      cores: coresBetween(cpuBefore, cpuAfter, (to - begunAt) / 1000),
    };
    this.#from = trace.to;
    this.#traces.push(trace);
    return trace;
  }

  /** How each step went. */
  async results(): Promise<StepResult[]> {
    const faults = await this.#stage.crowd.faults(this.#traces.map(({ stretches }) => stretches));
    return this.#traces.map((trace, index) => this.#resultOf(trace, faults[index]));
  }

  async #act(step: Step): Promise<string | null> {
    try {
      await step.act(this.#stage, (label) => {
        this.#record.mark(Date.now(), label);
      });
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** A node that ended by itself: all are started again within a step that ends them. */
  #missingNode(): string | null {
    const gone = this.#stage.nodes.find(({ pid }) => pid === undefined);
    return gone === undefined ? null : `${gone.name} ended by itself: ${gone.lines.slice(-3).join(' ')}`;
  }

  /** Waits until every client that can be is connected and has the target; how many are not when patience ends. */
  async #untilBack({ servesLegacy }: Step, target: Target): Promise<Record<ClientKind, number>> {
    let progress: Progress | undefined;
    const missing = (kind: ClientKind): number => {
      if (kind === 'legacy' && !servesLegacy) return 0;
      const { away, behind } = progress?.[kind] ?? { away: 0, behind: 0 };
      return Math.max(away, behind);
    };
    await until(
      this.#options.patience * 1000,
      async () => {
        progress = await this.#stage.crowd.progress(target);
        return missing('sdk') + missing('legacy') === 0;
      },
      ASK_MS,
    );
    return { sdk: missing('sdk'), legacy: missing('legacy') };
  }

  /** What was published since the step before. */
  #stretches(): StepStretches {
    const ends: Record<string, number> = {};
    const stretches: Record<string, StepStretch> = {};
    for (const { name, done, unknown } of this.#stage.publishers.progress) {
      const from = this.#begun[name] ?? 0;
      stretches[name] = {
        from,
        to: done,
        unknown: unknown.filter((number) => from <= number && number < done),
      };
      ends[name] = done;
    }
    this.#begun = ends;
    return stretches;
  }

  #readCpu(): Readonly<Record<string, number>> {
    const { nodes, redis, crowd } = this.#stage;
    this.#cpu.read(
      'gateways',
      nodes.flatMap(({ pid }) => pid ?? []),
    );
    this.#cpu.read('redis', redis.pid === undefined ? [] : [redis.pid]);
    this.#cpu.read('clients', crowd.pids);
    this.#cpu.read('drill', [process.pid]);
    return this.#cpu.used();
  }

  #resultOf(trace: Trace, faults: StepFaults | undefined): StepResult {
    const { step, from, to, actedAt, backAt, trouble, stretches, cores } = trace;
    const all = STREAMS.flatMap((name) => stretches[name] ?? []);
    return {
      name: step.name,
      kind: step.kind,
      from: (from - this.#startedAt) / 1000,
      to: (to - this.#startedAt) / 1000,
      actedIn: (actedAt - from) / 1000,
      backIn: (backAt - from) / 1000,
      trouble,
      servesLegacy: step.servesLegacy,
      published: all.reduce((sum, one) => sum + one.to - one.from, 0),
      unknown: all.reduce((sum, { unknown }) => sum + unknown.length, 0),
      sdk: this.#kindOf('sdk', trace, faults?.sdk),
      legacy: this.#kindOf('legacy', trace, faults?.legacy),
      cores,
      loadLagMs: this.#record.lagMs(from, to),
    };
  }

  #kindOf(kind: ClientKind, { from, to, overdue }: Trace, faults: FaultCount | undefined): KindResult {
    const interruptions = this.#record.interruptions(from, to).filter((one) => one.kind === kind);
    const incidents = this.#record.incidents(from, to).filter((one) => one.kind === kind);
    const refused: Record<string, number> = {};
    for (const { what, reason } of incidents) {
      if (what === 'refused') refused[reason] = (refused[reason] ?? 0) + 1;
    }
    return {
      ...(faults ?? { lost: 0, doubled: 0, outOfOrder: 0, missed: 0, clients: 0, examples: [] }),
      interruptions: distributionOf(interruptions.map(({ eventsMs }) => eventsMs)),
      away: distributionOf(interruptions.map(({ awayMs }) => awayMs)),
      overdue: overdue[kind],
      refused,
      off: incidents.filter(({ what }) => what === 'off').length,
      gaps: incidents.filter(({ what }) => what === 'gap').length,
    };
  }
}

function coresBetween(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
  seconds: number,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(after).map(([group, used]) => [
      group,
      (used - (before[group] ?? 0)) / Math.max(0.001, seconds),
    ]),
  );
}
