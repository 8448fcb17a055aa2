import { randomUUID } from 'node:crypto';
import type { ProfileName } from '../core/config/profile.js';
import type { RehearsalParts } from '../rig/rehearsal.js';
import { Baseline } from './baseline/baseline.js';
import type { ClientKind } from './client-kind.js';
import { figureText, levelsOf } from './levels.js';
import type { LoadCrowd } from './load/load-crowd.js';
import { eventsPerSecond } from './load/load-shape.js';
import { runLoad } from './run-load.js';
import type { Gateways } from './subject/gateways.js';
import type { Subject } from './subject/subject.js';
import type { ValidateOptions } from './validate-options.js';
import type { LoadFigures, ProfileResult } from './validation-result.js';

/** The server with one emit per event has half of the time: it often needs longer for it than it has. */
const BASELINE_PART = 0.5;

/** Measures one profile after the other. */
export class ProfileBench {
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

  /**
   * The gateway, and the server it is compared with, never both at once. What keeps one from being measured is in the
   * result.
   */
  async measure(profile: ProfileName): Promise<ProfileResult> {
    const figures: { gateway: LoadFigures | null; baseline: LoadFigures | null } = {
      gateway: null,
      baseline: null,
    };
    const trouble = await messageOf(this.#measureBoth(profile, figures));
    if (trouble !== undefined) {
      this.#parts.tell(`${profile}: ${trouble}`);
      await this.#crowd.disconnect();
    }
    const rate = eventsPerSecond(this.#options.shape);
    const levels = levelsOf({ profile, ...figures, why: trouble ?? '', rate }, this.#options.targets);
    return { profile, trouble: trouble ?? null, ...figures, levels };
  }

  async #measureBoth(
    profile: ProfileName,
    figures: { gateway: LoadFigures | null; baseline: LoadFigures | null },
  ): Promise<void> {
    const { tell } = this.#parts;
    const subject = await this.#gateways.open(profile);
    const onBaseline = async (): Promise<void> => {
      tell(`${profile}: one emit per event …`);
      figures.baseline = await this.#onBaseline(subject.kinds);
    };
    try {
      // A gateway that was just started has its start in the lag of its loop: time goes by meanwhile.
      if (this.#gateways.areNew) await onBaseline();
      tell(`${profile} …`);
      figures.gateway = await this.#load(subject, 1);
      tell(`${profile}: ${briefly(figures.gateway)}`);
      if (!this.#gateways.areNew) await onBaseline();
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

/** What `work` failed with, for people; undefined where it did not. */
export async function messageOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
