import type { Incident, Interruption, Sample } from './messages.js';

/** Incidents and interruptions kept between two samples at most: beyond it the rest is only counted as one. */
const MOST = 20_000;

/** What a load process has seen since its last sample. */
export class LoadRecord {
  #delivered = { sdk: 0, legacy: 0 };
  #interruptions: Interruption[] = [];
  #incidents: Incident[] = [];

  /** Events were given to a client. */
  delivered(kind: Interruption['kind']): void {
    this.#delivered[kind] += 1;
  }

  /** A connection changed hands. */
  interrupted(interruption: Interruption): void {
    if (this.#interruptions.length < MOST) this.#interruptions.push(interruption);
  }

  /** Something happened to a client. */
  happened(incident: Incident): void {
    if (this.#incidents.length < MOST) this.#incidents.push(incident);
  }

  /** What was seen since the last call. */
  take(): Pick<Sample, 'delivered' | 'interruptions' | 'incidents'> {
    const taken = {
      delivered: this.#delivered,
      interruptions: this.#interruptions,
      incidents: this.#incidents,
    };
    this.#delivered = { sdk: 0, legacy: 0 };
    this.#interruptions = [];
    this.#incidents = [];
    return taken;
  }
}
