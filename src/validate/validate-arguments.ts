import os from 'node:os';
import { type Command, InvalidArgumentError } from 'commander';
import { PROFILES, type ProfileName } from '../core/config/profile.js';
import { amount, anyNumber, count } from '../rig/typed-numbers.js';
import { endOnWrongUse } from '../rig/wrong-use.js';
import type { ValidateOptions } from './validate-options.js';

/** The default load, some 75 seconds for three profiles, and with `--quick`, some 20. */
const FULL = { clients: 200, rate: 500, append: 5, keys: 5, seconds: 6, warmUp: 2 };
const QUICK = { clients: 100, rate: 400, append: 5, keys: 3, seconds: 2, warmUp: 1 };
/** Most processes that are taken for clients by default. */
const MOST_PROCESSES = 4;

/** What is typed; undefined where nothing is. */
interface Typed {
  readonly url?: string;
  readonly token?: string;
  readonly flip: boolean;
  readonly profiles?: readonly ProfileName[];
  readonly redis: boolean;
  readonly redisServer: string;
  readonly redisUrl?: string;
  readonly clients?: number;
  readonly rate?: number;
  readonly append?: number;
  readonly keys?: number;
  readonly bytes: number;
  readonly rooms: number;
  readonly seconds?: number;
  readonly warmUp?: number;
  readonly processes?: number;
  readonly p95: number;
  readonly loopLag: number;
  readonly cpuSaving: number;
  readonly backlog: number;
  readonly taken: number;
  readonly allowUnmeasured: boolean;
  readonly json?: string;
  readonly html?: string;
  readonly quick: boolean;
}

/** A validation as it was typed. */
export interface ValidateArguments {
  readonly options: ValidateOptions;
  readonly json: string | undefined;
  readonly html: string | undefined;
}

/** Gives a command the options of a validation; `run` is called with what was typed. What can't be one ends with 2. */
export function describeValidate(command: Command, run: (typed: ValidateArguments) => Promise<void>): void {
  command.description('measure the service levels under load, and say of each whether it holds');
  endOnWrongUse(command);
  describeSubject(command);
  describeLoad(command);
  command
    .option('--p95 <ms>', 'the p95 latency from ingest to client must be below it', amount, 150)
    .option('--loop-lag <ms>', 'the p99 event-loop lag must be below it', amount, 30)
    .option('--cpu-saving <percent>', 'CPU must be so much below one emit per event, at least', anyNumber, 30)
    .option('--backlog <seconds>', 'the oldest event a client awaits must be younger', amount, 60)
    .option('--taken <percent>', 'so much of the load must be taken in its time, at least', amount, 95)
    .option('--allow-unmeasured', 'a level that can not be measured fails nothing', false)
    .option('--json <file>', 'write all figures (JSON)')
    .option('--html <file>', 'write a report with plots (HTML)')
    .option('--quick', 'some 20 seconds, with a smaller load', false)
    .action(async (typed: Typed) => {
      const fault = faultOf(typed);
      if (fault !== undefined) command.error(`error: ${fault}`);
      await run({ options: optionsOf(typed), json: typed.json, html: typed.html });
    });
}

function describeSubject(command: Command): void {
  command
    .option(
      '--url <url>',
      'a gateway that runs (default: gateways of its own, one for each profile)',
      address,
    )
    .option('--token <token>', 'JWT or API key for it (default: FLIPGATE_TOKEN)')
    .option('--flip', 'flip it through the profiles, and back to what it serves now', false)
    .option('--profiles <list>', 'which profiles, separated by commas (default: all three)', profiles)
    .option('--redis', 'start a Redis for gateways of its own', false)
    .option('--redis-server <program>', 'what is started as Redis', 'redis-server')
    .option('--redis-url <url>', 'use this Redis, under a key prefix of its own, instead of starting one');
}

function describeLoad(command: Command): void {
  command
    .option('--clients <count>', `clients of all kinds (default: ${String(FULL.clients)})`, count(1))
    .option('--rate <events>', `events with a key, a second (default: ${String(FULL.rate)})`, count(1))
    .option('--append <events>', `events without one, a second (default: ${String(FULL.append)})`, count(0))
    .option('--keys <count>', `keys whose values change (default: ${String(FULL.keys)})`, count(1))
    .option('--bytes <count>', 'characters of payload in an event', count(0), 200)
    .option('--rooms <count>', 'rooms that share keys and clients', count(1), 1)
    .option('--seconds <seconds>', `how long the load lasts (default: ${String(FULL.seconds)})`, amount)
    .option('--warm-up <seconds>', `load that does not count (default: ${String(FULL.warmUp)})`, amount)
    .option(
      '--processes <count>',
      'processes that share the clients (default: by the cores there are)',
      count(1),
    );
}

function optionsOf(typed: Typed): ValidateOptions {
  const base = typed.quick ? QUICK : FULL;
  const { url, redis, redisServer, redisUrl } = typed;
  return {
    url,
    token: typed.token,
    flip: typed.flip,
    profiles: typed.profiles ?? PROFILES,
    redis: redis || redisUrl !== undefined ? { program: redisServer, url: redisUrl } : undefined,
    clients: typed.clients ?? base.clients,
    shape: {
      rate: typed.rate ?? base.rate,
      append: typed.append ?? base.append,
      keys: typed.keys ?? base.keys,
      bytes: typed.bytes,
      rooms: typed.rooms,
    },
    seconds: typed.seconds ?? base.seconds,
    warmUp: typed.warmUp ?? base.warmUp,
    processes: typed.processes ?? Math.min(MOST_PROCESSES, Math.max(2, Math.floor(os.cpus().length / 2))),
    targets: {
      p95Ms: typed.p95,
      lagMs: typed.loopLag,
      cpuSavingPercent: typed.cpuSaving,
      backlogSeconds: typed.backlog,
      takenPercent: typed.taken,
    },
    allowUnmeasured: typed.allowUnmeasured,
  };
}

/** What can't be together; undefined where all can. */
function faultOf(typed: Typed): string | undefined {
  const { url, flip, redis, redisUrl, rooms } = typed;
  const { shape, seconds } = optionsOf(typed);
  if (flip && url === undefined) return '--flip is for a gateway that runs: name one with --url';
  if (url !== undefined && (redis || redisUrl !== undefined)) {
    return 'a gateway that runs has its own Redis: --redis and --redis-url are for gateways that are started';
  }
  if (url !== undefined && !flip && typed.profiles !== undefined) {
    return '--profiles of a gateway that runs takes --flip';
  }
  if (rooms > shape.keys) return '--rooms must be at most --keys';
  if (seconds === 0) return '--seconds must be more than 0';
  return undefined;
}

function address(text: string): string {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) {
    throw new InvalidArgumentError('It must be an address such as http://127.0.0.1:5002.');
  }
  return text.replace(/\/+$/, '');
}

function profiles(text: string): readonly ProfileName[] {
  const names = text.split(',').map((name) => name.trim().toUpperCase());
  const known = PROFILES.filter((profile) => names.includes(profile));
  if (known.length === 0 || names.some((name) => !known.some((profile) => profile === name))) {
    throw new InvalidArgumentError(`It must be some of ${PROFILES.join(', ')}.`);
  }
  return known;
}
