import {
  type ProfileName,
  type TransportOverrides,
  type Transports,
  transportsFor,
} from '../config/profile.js';

/** The profile this process serves now: whoever tells of it reads it here, and {@link ProfileSwitch} changes it. */
export class ServedProfile {
  readonly #overrides: TransportOverrides;
  #profile: ProfileName;
  #transports: Transports;

  /** `overrides` are transports that are on, or off, under every profile. */
  constructor(profile: ProfileName, overrides: TransportOverrides) {
    this.#overrides = overrides;
    this.#profile = profile;
    this.#transports = transportsFor(profile, overrides);
  }

  get profile(): ProfileName {
    return this.#profile;
  }

  /** What of it is on. */
  get transports(): Transports {
    return this.#transports;
  }

  /** What would be on under that profile. */
  under(profile: ProfileName): Transports {
    return transportsFor(profile, this.#overrides);
  }

  /** From now on it is this one. */
  become(profile: ProfileName): void {
    this.#profile = profile;
    this.#transports = this.under(profile);
  }
}
