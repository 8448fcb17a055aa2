import type { GatewayError } from '../../client/gateway-error.js';
import { get } from '../../client/http.js';
import type { ProfileDocument } from '../../client/wire.js';
import { PROFILES, type ProfileName } from '../../core/config/profile.js';
import type { RehearsalParts } from '../../rig/rehearsal.js';
import { whyNoAnswer } from '../../no-answer.js';
import { rollOut } from '../../rig/roll-out.js';
import { type ClientKind, kindsOver } from '../client-kind.js';
import type { ValidateOptions } from '../validate-options.js';
import type { Gateways } from './gateways.js';
import { readStatus } from './status-reading.js';
import { isUnmeasured, type Subject, type Unmeasured } from './subject.js';

/** Longest time in ms that one answer may take. */
const ANSWER_MS = 5000;
const METHOD = [
  'Latency is from when an event was sent to the gateway to its arrival at the client, on this machine’s clock: the way to the gateway is in it, so it is an upper bound.',
  'The gateway’s CPU is what its status says (all of the process, whatever else it serves); the server with one emit per event ran on this machine.',
];

/** What a gateway says of what it serves. */
interface Served {
  readonly profile: ProfileName;
  readonly kinds: readonly ClientKind[];
}

/** A gateway that runs: as it is, or flipped through the profiles, and back. */
export class RunningGateway implements Gateways {
  readonly name: string;
  readonly profiles: readonly ProfileName[];
  readonly areNew = false;
  readonly method = METHOD;
  readonly #url: string;
  readonly #token: string | undefined;
  /** What it served when it was found. */
  readonly #home: ProfileName;
  #isAway = false;

  private constructor(url: string, { token, flip, profiles }: ValidateOptions, { profile }: Served) {
    this.#url = url;
    this.#token = token;
    this.#home = profile;
    this.name = `the gateway at ${new URL(url).origin}`;
    // What it serves now comes first, so that it is flipped once less.
    const others = profiles.filter((one) => one !== profile);
    this.profiles = flip ? [...profiles.filter((one) => one === profile), ...others] : [profile];
  }

  /** Asks what it serves. Rejects where it does not answer. */
  static async find(
    url: string,
    options: ValidateOptions,
    { closers }: RehearsalParts,
  ): Promise<RunningGateway> {
    const gateway = new RunningGateway(url, options, await servedAt(url, options.token));
    closers.add('the flip', () => gateway.restore());
    return gateway;
  }

  async open(profile: ProfileName): Promise<Subject> {
    if (profile !== this.#home || this.#isAway) {
      this.#isAway = true;
      await rollOut({ url: this.#url, token: this.#token, profile });
    }
    const { kinds } = await servedAt(this.#url, this.#token);
    return new FoundGateway(this.#url, this.#token, kinds);
  }

  release(): Promise<void> {
    return Promise.resolve();
  }

  async restore(): Promise<void> {
    if (!this.#isAway) return;
    await rollOut({ url: this.#url, token: this.#token, profile: this.#home });
    this.#isAway = false;
  }
}

/** A gateway that runs. */
class FoundGateway implements Subject {
  readonly server: Subject['server'];
  readonly kinds: Subject['kinds'];
  readonly latencyFrom = 'sending';
  #node: string | undefined;

  constructor(url: string, token: string | undefined, kinds: readonly ClientKind[]) {
    this.server = { url, token, isGateway: true };
    this.kinds = kinds;
  }

  /** Of one node: where another answers than before, nobody knows what the first has used since. */
  async cpuSeconds(): Promise<number | Unmeasured> {
    const reading = await readStatus(this.server.url, this.server.token);
    if (isUnmeasured(reading)) return reading;
    this.#node ??= reading.node;
    if (reading.node !== this.#node) {
      return { why: 'several nodes answer at this address: name one with --url' };
    }
    return reading.cpuSeconds ?? { why: 'the status does not say it' };
  }

  /** That it is gone shows when it is asked. */
  trouble(): undefined {
    return undefined;
  }
}

async function servedAt(url: string, token: string | undefined): Promise<Served> {
  try {
    const { profile, transports } = await get<ProfileDocument>(`${url}/api/profile`, { token });
    const known = PROFILES.find((one) => one === profile);
    if (known === undefined) throw new Error(`it serves ${profile}, which is not known here`);
    const { websocket, sse } = transports;
    return { profile: known, kinds: kindsOver({ websocket: websocket !== null, sse: sse !== null }) };
  } catch (error) {
    const { code, message, status } = error as Partial<GatewayError> & Error;
    if (code === 'unreachable' && status === 0) {
      // The error does not say why, what is asked again may.
      const why = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) }).then(
        () => undefined,
        (again: unknown) => whyNoAnswer(url, again),
      );
      if (why !== undefined) throw new Error(why, { cause: error });
    }
    throw new Error(`no gateway answers at ${url}: ${code === undefined ? '' : `${code}: `}${message}`, {
      cause: error,
    });
  }
}
