import type { ProfileName } from '../../core/config/profile.js';
import type { Subject } from './subject.js';

/** Where the gateways come from that a validation puts its load on. */
export interface Gateways {
  /** What they are, for people. */
  readonly name: string;
  /** Profiles they can be asked for, in this order. */
  readonly profiles: readonly ProfileName[];
  /** Whether a gateway that is opened has only just been started. */
  readonly areNew: boolean;
  /** How what is measured of them has to be read, a sentence each. */
  readonly method: readonly string[];
  /** A gateway that serves this profile. Rejects with an error that says why there is none. */
  open(profile: ProfileName): Promise<Subject>;
  /** The gateway that was opened last is done with. */
  release(): Promise<void>;
  /** Puts everything back to how it was; rejects with an error that says why that failed. */
  restore(): Promise<void>;
}
