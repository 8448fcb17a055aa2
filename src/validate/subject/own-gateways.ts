import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { ProfileName } from '../../core/config/profile.js';
import { cpuSeconds } from '../../rig/cpu-times.js';
import { freePorts } from '../../rig/free-port.js';
import { GatewayNode } from '../../rig/gateway-node.js';
import type { RehearsalParts } from '../../rig/rehearsal.js';
import { borrowRedis, type RigRedis, startRedis } from '../../rig/rig-redis.js';
import { kindsUnder } from '../client-kind.js';
import type { LoadCrowd } from '../load/load-crowd.js';
import type { ValidateOptions } from '../validate-options.js';
import type { Gateways } from './gateways.js';
import { readStatus } from './status-reading.js';
import { isUnmeasured, type Subject, type Unmeasured } from './subject.js';

const METHOD = [
  'Latency is from the time in an event’s id, given when the gateway took it, to its arrival at the client: one clock.',
];

/** Gateways that are started for it, one for each profile, one after the other. */
export class OwnGateways implements Gateways {
  readonly name: string;
  readonly profiles: readonly ProfileName[];
  readonly areNew = true;
  readonly method = METHOD;
  readonly #folder: string;
  readonly #redis: RigRedis | undefined;
  readonly #crowd: LoadCrowd;
  readonly #parts: RehearsalParts;
  #node: GatewayNode | undefined;

  private constructor(
    { profiles }: ValidateOptions,
    crowd: LoadCrowd,
    parts: RehearsalParts,
    { folder, redis }: { readonly folder: string; readonly redis: RigRedis | undefined },
  ) {
    this.profiles = profiles;
    this.name = `gateways of its own, ${redis === undefined ? 'without Redis' : `with Redis ${redis.version}`}`;
    this.#crowd = crowd;
    this.#parts = parts;
    this.#folder = folder;
    this.#redis = redis;
  }

  /** Makes room for them, and starts the Redis they are to have. Rejects where that can't be done. */
  static async prepare(
    options: ValidateOptions,
    crowd: LoadCrowd,
    parts: RehearsalParts,
  ): Promise<OwnGateways> {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'flipgate-validate-'));
    parts.closers.add('the folder', () => rm(folder, { recursive: true, force: true }));
    crowd.mourn({ pids: [], folder });
    const redis = await redisOf(options, folder, parts);
    return new OwnGateways(options, crowd, parts, { folder, redis });
  }

  async open(profile: ProfileName): Promise<Subject> {
    const [port = 0] = await freePorts(1);
    const node = new GatewayNode({
      name: `the gateway under ${profile}`,
      port,
      folder: this.#folder,
      variables: {
        APP_PROFILE: profile,
        LOG_LEVEL: 'warn',
        HOST_MONITOR: 'false',
        ...redisVariables(this.#redis, path.basename(this.#folder)),
      },
    });
    this.#node = node;
    this.#parts.closers.add(node.name, () => node.close());
    await node.start();
    const pids = [node.pid, this.#redis?.pid].filter((pid) => pid !== undefined);
    this.#crowd.mourn({ pids, folder: this.#folder });
    return new OwnGateway(node, profile);
  }

  async release(): Promise<void> {
    await this.#node?.close();
  }

  restore(): Promise<void> {
    return Promise.resolve();
  }
}

/** A gateway that was started for it. */
class OwnGateway implements Subject {
  readonly server: Subject['server'];
  readonly kinds: Subject['kinds'];
  readonly latencyFrom = 'id';
  readonly #node: GatewayNode;

  constructor(node: GatewayNode, profile: ProfileName) {
    this.#node = node;
    this.server = { url: node.url, token: undefined, isGateway: true };
    this.kinds = kindsUnder(profile);
  }

  /** From the system where that tells, else from its status. */
  async cpuSeconds(): Promise<number | Unmeasured> {
    const told = cpuSeconds(this.#node.pid ?? 0);
    if (told !== undefined) return told;
    const reading = await readStatus(this.server.url, undefined);
    if (isUnmeasured(reading)) return reading;
    return reading.cpuSeconds ?? { why: 'the status does not say it' };
  }

  trouble(): string | undefined {
    if (this.#node.pid !== undefined) return undefined;
    const said = this.#node.lines.slice(-3).join(' ');
    return `${this.#node.name} ended by itself${said === '' ? '' : `: ${said}`}`;
  }
}

async function redisOf(
  { redis }: ValidateOptions,
  folder: string,
  parts: RehearsalParts,
): Promise<RigRedis | undefined> {
  if (redis === undefined) return undefined;
  return redis.url === undefined
    ? await startRedis(redis.program, folder, parts)
    : await borrowRedis(redis.url, path.basename(folder), parts);
}

function redisVariables(redis: RigRedis | undefined, prefix: string): Record<string, string> {
  if (redis === undefined) return {};
  return { REDIS_URL: redis.url, REDIS_KEY_PREFIX: prefix, REDIS_CHANNELS: `${prefix}-events` };
}
