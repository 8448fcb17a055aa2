import type { Clock } from '../clock.js';
import type { Logger } from '../logger.js';
import type { Counters } from '../metrics/counters.js';
import { isRefusedPermission } from './redis-errors.js';

/** The purposes of connections, and what does not work without their permissions. */
const EFFECTS = {
  events: 'events are not stored, or do not reach clients',
  published: 'messages PUBLISHed on REDIS_CHANNELS do not become events',
  nodes: 'gateways do not know of each other, or do not reach each other',
  emitters: 'messages that backends emit through Socket.IO do not reach clients',
  commands: 'commands are not accepted, or their outcomes are not told',
  work: 'commands are not executed',
} as const;

/** The purpose of a connection. */
export type RedisPurpose = keyof typeof EFFECTS;

/** Commands that are of use, and without which everything works. */
const OPTIONAL: Readonly<Record<string, string>> = {
  client: 'connections have no names in CLIENT LIST',
  info: 'a Redis that still loads its data counts as ready',
  wait: 'a failover that keeps connections is noticed later',
};

/** A permission that the Redis user of this process lacks. */
export interface RefusedPermission {
  readonly command: string;
  /** The keys, channels or patterns that it was about; empty for none. */
  readonly on: string;
  /** The effect: what does not work because of it. */
  readonly effect: string;
  /** The ACL rule to add. */
  readonly rule: string;
}

interface Noted {
  readonly permission: RefusedPermission;
  readonly isOptional: boolean;
  loggedAt: number;
  refusedAt: number;
}

/** An error as ioredis gives it. */
type CommandError = Error & {
  readonly command?: { readonly name: string; readonly args: readonly unknown[] };
};

/** Shortest time between two log lines about one permission, ms. */
const QUIET_MS = 60_000;
/** For so long a permission that was refused counts as lacking, ms: what needs it tries again in less. */
const MEMORY_MS = 120_000;
/** Permissions that are told apart. */
const MAX_NOTED = 50;
/** Most characters of what a command was about. */
const MAX_ON = 200;
/** Where all rules are listed. */
const ALL_RULES = 'see "Redis ACL" in docs/operations.md';

/**
 * Collects what the Redis user of this process is not permitted to do. Each lacking permission is counted
 * (`permissions_refused`, by what it is for) and logged with what does not work and the rule to add.
 */
export class RefusedPermissions {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #counters: Counters;
  readonly #noted = new Map<string, Noted>();

  constructor({ clock, logger, counters }: { clock: Clock; logger: Logger; counters: Counters }) {
    this.#clock = clock;
    this.#logger = logger;
    this.#counters = counters;
  }

  /** Takes the errors of a connection that is for `purpose`. */
  of(purpose: RedisPurpose): (error: Error) => void {
    return (error) => {
      if (isRefusedPermission(error)) this.#note(purpose, error);
    };
  }

  /** The permissions that are lacking now and leave something undone. */
  get lacking(): readonly RefusedPermission[] {
    const now = this.#clock.elapsed();
    return [...this.#noted.values()]
      .filter(({ isOptional, refusedAt }) => !isOptional && now - refusedAt < MEMORY_MS)
      .map(({ permission }) => permission);
  }

  #note(purpose: RedisPurpose, error: CommandError): void {
    const now = this.#clock.elapsed();
    const { name = 'unknown', args = [] } = error.command ?? {};
    const command = name.toLowerCase();
    if (OPTIONAL[command] === undefined) this.#counters.add('permissions_refused', purpose);
    const subjects = subjectsOf(command, args);
    const on = subjects.join(' ').slice(0, MAX_ON);
    const key = `${purpose} ${command} ${on}`;
    let noted = this.#noted.get(key);
    if (noted === undefined) {
      if (this.#noted.size >= MAX_NOTED) this.#forget(now);
      if (this.#noted.size >= MAX_NOTED) return;
      const optional = OPTIONAL[command];
      const effect = optional ?? EFFECTS[purpose];
      const permission = { command, on, effect, rule: ruleFor(error.message, command, subjects) };
      noted = { permission, isOptional: optional !== undefined, loggedAt: -Infinity, refusedAt: now };
      this.#noted.set(key, noted);
    }
    noted.refusedAt = now;
    if (now - noted.loggedAt < QUIET_MS) return;
    noted.loggedAt = now;
    this.#logger[noted.isOptional ? 'warn' : 'error']('redis refuses a permission', { ...noted.permission });
  }

  #forget(now: number): void {
    for (const [key, { refusedAt }] of this.#noted) {
      if (now - refusedAt >= QUIET_MS) this.#noted.delete(key);
    }
  }
}

/** The keys, channels or patterns of a command, never its values. */
function subjectsOf(command: string, args: readonly unknown[]): readonly string[] {
  const texts = args.map((arg) => (Buffer.isBuffer(arg) ? arg.toString() : String(arg)));
  if (command === 'eval' || command === 'evalsha') return texts.slice(2, 2 + Number(texts[1] ?? 0));
  if (/^[ps]?subscribe$/.test(command)) return texts;
  if (/^x(read|readgroup)$/.test(command)) {
    const after = texts.slice(texts.findIndex((text) => text.toUpperCase() === 'STREAMS') + 1);
    return after.slice(0, after.length / 2);
  }
  if (command === 'pubsub') return texts.slice(1);
  return command in OPTIONAL ? [] : texts.slice(0, 1);
}

/** The ACL rule that the error asks for. */
function ruleFor(message: string, command: string, subjects: readonly string[]): string {
  if (message.includes('channels used as arguments')) return subjects.map((name) => `&${name}`).join(' ');
  if (message.includes('keys used as arguments')) return subjects.map((name) => `~${name}`).join(' ');
  return message.includes('executing the script') ? ALL_RULES : `+${command}`;
}
