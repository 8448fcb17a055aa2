import process from 'node:process';
import { thisMachine } from '../rig/machine.js';
import type { RehearsalParts } from '../rig/rehearsal.js';
import { until } from '../rig/until.js';
import { type DrillOptions, shownOptions } from './drill-options.js';
import type { DrillResult } from './drill-result.js';
import { type Stage, setStage } from './stage/stage.js';
import { StepRunner } from './step-runner.js';
import { STEPS } from './steps.js';
import { TimelineRecord } from './timeline.js';
import { verdictOf } from './verdict.js';

/** How long all clients may take to connect at the beginning, ms. */
const CONNECT_MS = 60_000;

/** What a drill is given. */
export interface DrillParts extends RehearsalParts {
  readonly options: DrillOptions;
}

/** Runs a drill. Rejects where it could not begin; whatever happens from then on is in the result. */
export async function runDrill({ options, closers, logger, tell }: DrillParts): Promise<DrillResult> {
  const record = new TimelineRecord(options.processes);
  tell('starting Redis, two gateways and the clients');
  const stage = await setStage({
    options,
    closers,
    logger,
    onSample: (number, sample) => {
      record.take(number, sample);
    },
  });
  await everybodyConnected(stage, options);
  tell(`${String(options.clients)} SDK clients and ${String(options.legacy)} legacy clients are connected`);
  const startedAt = Date.now();
  stage.publishers.start();
  const runner = new StepRunner(options, stage, record, startedAt);
  for (const [index, step] of STEPS.entries()) {
    tell(`${step.name} …`);
    const { trouble } = await runner.run(step, index === STEPS.length - 1);
    if (trouble === null) continue;
    tell(trouble);
    await stage.publishers.stop();
    break;
  }
  const endedAt = Date.now();
  const steps = await runner.results();
  return {
    ...verdictOf(steps, STEPS.length, options),
    startedAt: new Date(startedAt).toISOString(),
    seconds: (endedAt - startedAt) / 1000,
    options: shownOptions(options),
    surroundings: { ...thisMachine(), redis: stage.redis.version },
    steps,
    timeline: record.timeline(startedAt, endedAt),
  };
}

async function everybodyConnected({ crowd, front }: Stage, options: DrillOptions): Promise<void> {
  const { clients: sdk, legacy, nginx } = options;
  // nginx sends a client's polls to one node by its address.
  const ownAddresses = nginx !== undefined && process.platform === 'linux';
  await crowd.connect({ urls: front, ownAddresses, sdk, legacy });
  const nothing = { upTo: {}, values: {} };
  const connected = await until(CONNECT_MS, async () => {
    const { sdk, legacy } = await crowd.progress(nothing);
    return sdk.away + legacy.away === 0;
  });
  if (!connected) throw new Error(`not all clients could connect within ${String(CONNECT_MS / 1000)} s`);
}
