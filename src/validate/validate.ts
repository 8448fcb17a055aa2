import { randomUUID } from 'node:crypto';
import type { ProfileName } from '../core/config/profile.js';
import { thisMachine } from '../rig/machine.js';
import type { RehearsalParts } from '../rig/rehearsal.js';
import { Baseline } from './baseline/baseline.js';
import type { ClientKind } from './client-kind.js';
import { failedLevels, figureText, levelsOf } from './levels.js';
import { LoadCrowd } from './load/load-crowd.js';
import { eventsPerSecond } from './load/load-shape.js';
import { runLoad } from './run-load.js';
import type { Gateways } from './subject/gateways.js';
import { OwnGateways } from './subject/own-gateways.js';
import { RunningGateway } from './subject/running-gateway.js';
import type { Subject } from './subject/subject.js';
import { shownOptions, type ValidateOptions } from './validate-options.js';
import type { LoadFigures, ProfileResult, ValidationResult } from './validation-result.js';

/** The server with one emit per event has half of the time: it often needs longer for it than it has. */
const BASELINE_PART = 0.5;

/** What holds of every validation. */
const METHOD = [
  'An event that a newer value of its key replaced before it left has no arrival: what counts is what arrives, and that every client has the final values and all events without a key.',
  'CPU is that of the server alone, from when all clients have everything until they have everything again. The server with one emit per event takes events at the same rate from the same publisher over HTTP, for half of the time, with as many clients of the same kinds: stock Socket.IO (io.to(room).emit) for those over Socket.IO, one write for each event and client, encoded once, for those over Server-Sent Events.',
  'Event-loop lag is the largest that the status told while the load lasted; each reading is over the 5 to 10 s before it, so connecting and warming up are in it.',
];

/** What a validation is given. */
export interface ValidationParts extends RehearsalParts {
  readonly options: ValidateOptions;
}

/** Runs a validation. Rejects where it could not begin; whatever happens from then on is in the result. */
export async function runValidation({ options, ...parts }: ValidationParts): Promise<ValidationResult> {
  const { closers, tell } = parts;
  const crowd = new LoadCrowd(options.processes);
  closers.add('clients', () => crowd.close());
  const gateways =
    options.url === undefined
      ? await OwnGateways.prepare(options, crowd, parts)
      : await RunningGateway.find(options.url, options, parts);
  const startedAt = Date.now();
  const bench = new Bench(options, gateways, crowd, parts);
  const profiles: ProfileResult[] = [];
  for (const profile of gateways.profiles) profiles.push(await bench.measure(profile));
  const restored = await messageOf(gateways.restore());
  if (restored !== undefined) tell(restored);
  const troubles = profiles.flatMap(({ profile, trouble }) =>
    trouble === null ? [] : [`${profile}: ${trouble}`],
  );
  const levels = profiles.flatMap((one) => (one.trouble === null ? one.levels : []));
  const failures = [
    ...troubles,
    ...failedLevels(levels, options.allowUnmeasured),
    ...(restored === undefined ? [] : [`not flipped back to what was served: ${restored}`]),
  ];
  return {
    passed: failures.length === 0,
    failures,
    startedAt: new Date(startedAt).toISOString(),
    seconds: (Date.now() - startedAt) / 1000,
    options: shownOptions(options),
    machine: thisMachine(),
    subject: gateways.name,
    method: [...gateways.method, ...METHOD],
    profiles,
  };
}

/** Measures one profile after the other. */
class Bench {
  readonly #options: ValidateOptions;
  readonly #gateways: Gateways;
  readonly #crowd: LoadCrowd;
  readonly #parts: RehearsalParts;

  constructor(options: ValidateOptions, gateways: Gateways, crowd: LoadCrowd, parts: RehearsalParts) {
    this.#options = options;
    this.#gateways = gateways;
    this.#crowd = crowd;
    this.#parts = parts;
  }

  /** The gateway first, then the server it is compared with: never both at once. */
  async measure(profile: ProfileName): Promise<ProfileResult> {
    const { tell } = this.#parts;
    tell(`${profile} …`);
    let gateway: LoadFigures | null = null;
    let baseline: LoadFigures | null = null;
    const trouble = await messageOf(
      (async () => {
        gateway = await this.#onGateway(profile);
        tell(`${profile}: ${briefly(gateway)}; the same load with one emit per event …`);
        baseline = await this.#onBaseline(gateway.kinds.map(({ kind }) => kind));
      })(),
    );
    if (trouble !== undefined) {
      tell(`${profile}: ${trouble}`);
      await this.#crowd.disconnect();
    }
    const rate = eventsPerSecond(this.#options.shape);
    const measured = { profile, gateway, baseline, why: trouble ?? '', rate };
    return {
      profile,
      trouble: trouble ?? null,
      gateway,
      baseline,
      levels: levelsOf(measured, this.#options.targets),
    };
  }

  async #onGateway(profile: ProfileName): Promise<LoadFigures> {
    const subject = await this.#gateways.open(profile);
    try {
      return await this.#load(subject, 1);
    } finally {
      await this.#gateways.release();
    }
  }

  async #onBaseline(kinds: readonly ClientKind[]): Promise<LoadFigures> {
    const subject = await Baseline.start(kinds);
    this.#parts.closers.add('the server with one emit per event', () => subject.close());
    try {
      return await this.#load(subject, BASELINE_PART);
    } finally {
      await subject.close();
    }
  }

  /** `part` of the time that the options say. */
  #load(subject: Subject, part: number): Promise<LoadFigures> {
    const options = this.#options;
    return runLoad({
      subject,
      crowd: this.#crowd,
      options,
      run: randomUUID(),
      seconds: options.seconds * part,
      warmUp: options.warmUp * part,
    });
  }
}

function briefly({ kinds }: LoadFigures): string {
  return kinds.map(({ kind, p95 }) => `${kind} p95 ${figureText({ figure: p95, unit: 'ms' })}`).join(', ');
}

/** What `work` failed with; undefined where it did not. */
async function messageOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
