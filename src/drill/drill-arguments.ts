import { existsSync } from 'node:fs';
import os from 'node:os';
import type { Command } from 'commander';
import { amount, count } from '../rig/typed-numbers.js';
import { endOnWrongUse } from '../rig/wrong-use.js';
import type { DrillOptions } from './drill-options.js';

/** What a drill is by default, about a minute, and with `--quick`, about 20 seconds. */
const FULL = { clients: 250, legacy: 250, rate: 500, hold: 4, drainMs: 2000 };
const QUICK = { clients: 40, legacy: 20, rate: 150, hold: 0.5, drainMs: 500 };
/** Most processes that are taken for clients by default. */
const MOST_PROCESSES = 4;

/** What is typed; undefined where nothing is. */
interface Typed {
  readonly clients?: number;
  readonly legacy?: number;
  readonly rate?: number;
  readonly hold?: number;
  readonly patience: number;
  readonly drainMs?: number;
  readonly processes?: number;
  readonly redisServer: string;
  readonly redisUrl?: string;
  readonly nginx?: string | true;
  readonly maxInterruption: number;
  readonly maxRefused: number;
  readonly report?: string;
  readonly json?: string;
  readonly quick: boolean;
}

/** A drill as it was typed. */
export interface DrillArguments {
  readonly options: DrillOptions;
  readonly report: string | undefined;
  readonly json: string | undefined;
}

/** Gives a command the options of a drill; `run` is called with what was typed. What can't be one ends with 2. */
export function describeDrill(command: Command, run: (typed: DrillArguments) => Promise<void>): void {
  endOnWrongUse(command);
  command
    .description(
      'rehearse flips, a rolling restart and a SIGKILL under load, on gateways and a Redis of its own',
    )
    .option('--clients <count>', `clients of the SDK (default: ${String(FULL.clients)})`, count(0))
    .option('--legacy <count>', `stock Socket.IO clients (default: ${String(FULL.legacy)})`, count(0))
    .option('--rate <events>', `append events a second (default: ${String(FULL.rate)})`, count(3))
    .option(
      '--hold <seconds>',
      `how long a step goes on once everybody is back (default: ${String(FULL.hold)})`,
      amount,
    )
    .option('--patience <seconds>', 'how long everybody may take to be back', amount, 30)
    .option('--drain-ms <ms>', `DRAIN_MS of the gateways (default: ${String(FULL.drainMs)})`, count(0))
    .option(
      '--processes <count>',
      'processes that share the clients (default: by the cores there are)',
      count(1),
    )
    .option('--redis-server <program>', 'what is started as Redis', 'redis-server')
    .option('--redis-url <url>', 'use this Redis, under a key prefix of its own, instead of starting one')
    .option('--nginx [program]', 'put nginx before the gateways, and have all clients go through it')
    .option('--max-interruption <ms>', 'largest p95 interruption of SDK clients at a flip', count(0), 1500)
    .option('--max-refused <count>', 'most refused connections at a flip', count(0), 0)
    .option('--report <file>', 'write a report with a timeline (HTML)')
    .option('--json <file>', 'write all figures (JSON)')
    .option('--quick', 'some 20 seconds, with few clients', false)
    .action(async (typed: Typed) => {
      await run({ options: optionsOf(typed), report: typed.report, json: typed.json });
    });
}

function optionsOf(typed: Typed): DrillOptions {
  const { quick, patience, redisServer, redisUrl, nginx, maxInterruption, maxRefused } = typed;
  const base = quick ? QUICK : FULL;
  return {
    clients: typed.clients ?? base.clients,
    legacy: typed.legacy ?? base.legacy,
    rate: typed.rate ?? base.rate,
    hold: typed.hold ?? base.hold,
    drainMs: typed.drainMs ?? base.drainMs,
    processes: typed.processes ?? Math.min(MOST_PROCESSES, Math.max(2, Math.floor(os.cpus().length / 2))),
    patience,
    redisServer,
    redisUrl,
    nginx: nginx === true ? findNginx() : nginx,
    maxInterruptionMs: maxInterruption,
    maxRefused,
  };
}

/** Where systems keep it that leave it out of the PATH of those who don't administer them. */
function findNginx(): string {
  return ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/opt/homebrew/bin/nginx'].find(existsSync) ?? 'nginx';
}
