import { randomUUID } from 'node:crypto';
import net from 'node:net';
import path from 'node:path';
import * as fc from 'fast-check';
import { ERRORS } from '../../src/core/errors.js';
import { type GatewayStatus } from './gateway-status.js';
import { answersIn, type RawAnswer } from './http-answers.js';
import { type JsonAnswer, requestJson } from './json-request.js';
import { ROOT } from './launched-gateway.js';
import { type ProbedGateway, launchProbedGateway } from './probed-gateway.js';
import { RawClient } from './raw-client.js';
import { waitUntil } from './wait-until.js';

/** Keys as they are shown: an attacker has that of `limited`, that of `nobody`, or none. */
export const KEYS = {
  operator: 'operator-key-1234',
  bystander: 'bystander-key-1234',
  limited: 'limited-key-1234',
  nobody: 'nobody-key-1234',
} as const;

const API_KEYS = [
  { id: 'operator', key: KEYS.operator, subscribe: ['*'], publish: ['*'], command: ['*'], admin: ['*'] },
  { id: 'bystander', key: KEYS.bystander, subscribe: ['canary'] },
  {
    id: 'limited',
    key: KEYS.limited,
    subscribe: ['team.*', 'default'],
    publish: ['team.*'],
    command: ['team.*'],
  },
  { id: 'nobody', key: KEYS.nobody },
];

/** Where only the operator publishes, and only bystanders listen. */
const CANARY = 'canary';
/** What tells a status from anything else that is answered. */
const STATUS_MARK = '"eventsHeld"';
/** How long a connection may be silent before an attacker ends it, ms: one whose request may be none, and one that gets all answers. */
const SILENCE_MS = { perhaps: 300, surely: 5000 };

/** Connections of attackers at the same time. */
const AT_ONCE = 60;

/** What of the heap may be more at the end than in the beginning, bytes. */
const LEFT_BYTES = 6_000_000;

/** A request, or several on one connection, as bytes. */
export interface Attack {
  readonly bytes: Buffer | string;
  /** Answers after which the attacker has what it wants; default 1. */
  readonly answers?: number;
  /** True where all of it must be refused. */
  readonly isRefused?: boolean;
}

/**
 * A gateway under attack, and who watches: two clients in a room that no attacker may listen or publish to, and an operator
 * that publishes there. Counts what was generated.
 */
export class HostileRig {
  readonly gateway: ProbedGateway;
  readonly port: number;
  /** Stands in each event of the room nobody may listen to. */
  readonly #secret = randomUUID();
  readonly #bystanders: readonly RawClient[];
  readonly #cases = new Map<string, number>();
  #published = 0;
  #answers = 0;
  #breaches: string[] = [];
  #heldBytes = 0;
  #readLog = 0;

  private constructor(gateway: ProbedGateway, bystanders: readonly RawClient[]) {
    this.gateway = gateway;
    this.port = gateway.port;
    this.#bystanders = bystanders;
  }

  /** Starts a gateway, and has it watched. */
  static async open(variables: Readonly<Record<string, string | undefined>> = {}): Promise<HostileRig> {
    const gateway = await launchProbedGateway({
      APP_PROFILE: 'HYBRID',
      AUTH_MODE: 'token',
      API_KEYS: JSON.stringify(API_KEYS),
      COMMANDS_MODULE: path.join(ROOT, 'test/support/canary-commands.mjs'),
      DEFAULT_ROOMS: 'default',
      REDIS_URL: undefined,
      ...variables,
    });
    // Where attackers guess keys, only those that were good there before are looked at.
    for (const key of Object.values(KEYS))
      await requestJson('GET', `${gateway.url}/api/me`, undefined, { 'X-API-Key': key });
    const options = { rooms: [CANARY], token: KEYS.bystander };
    const bystanders = await Promise.all([
      RawClient.open(gateway.port, 'sse', options),
      RawClient.open(gateway.port, 'bundle', options),
    ]);
    return new HostileRig(gateway, bystanders);
  }

  /** So many cases of this entrance were tried. */
  count(entrance: string, cases: number): void {
    this.#cases.set(entrance, (this.#cases.get(entrance) ?? 0) + cases);
  }

  /** Answers that were looked at. */
  get answers(): number {
    return this.#answers;
  }

  /** Looks at what an attacker was sent: is it something it may not have? */
  inspect(text: string, cause: unknown): void {
    if (text.includes(this.#secret) || text.includes(STATUS_MARK))
      this.#breaches.push(`${shown(cause)} was answered with ${text.slice(0, 500)}`);
  }

  /** What the gateway answers an operator. */
  ask(method: string, target: string, body?: unknown): Promise<JsonAnswer> {
    const headers = { 'X-API-Key': KEYS.operator };
    return requestJson(method, this.gateway.url + target, body, headers);
  }

  async status(): Promise<GatewayStatus> {
    return (await this.ask('GET', '/api/admin/status')).json as GatewayStatus;
  }

  /**
   * Makes attacks, some at the same time, and looks at each answer: refusals have the one shape, nothing has failed, nothing is
   * told that may not be.
   */
  async attack(entrance: string, attacks: readonly Attack[]): Promise<void> {
    const waiting = [...attacks];
    const attackOn = async (): Promise<void> => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        const toHead = String(next.bytes).startsWith('HEAD');
        const answers = answersIn(await this.#exchange(next), toHead);
        for (const answer of answers) {
          this.#judge(answer, next.bytes);
          if (next.isRefused === true && answer.status < 400)
            throw new Error(
              `${shown(next.bytes)} was not refused: ${String(answer.status)} ${answer.body.slice(0, 300)}`,
            );
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, attackOn));
    this.count(
      entrance,
      attacks.reduce((sum, { answers = 1 }) => sum + answers, 0),
    );
  }

  /** Nothing has happened: it lives, it has no complaints, and those who watch have got all there is, in order, and no more. */
  async check(): Promise<void> {
    const { process: child, url } = this.gateway;
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`the gateway has ended:\n${this.gateway.output().slice(-3000)}`);
    const health = await requestJson('GET', `${url}/healthz`);
    if (health.status !== 200) throw new Error(`/healthz answers ${String(health.status)}`);
    await this.#pulse();
    const log = this.gateway.output();
    const lines = log.slice(this.#readLog, log.lastIndexOf('\n')).split('\n');
    this.#readLog = log.lastIndexOf('\n') + 1;
    const complaint = lines.find((line) => line !== '' && !/^\{.*"level":"(info|warn)".*\}$/s.test(line));
    if (complaint !== undefined) throw new Error(`the gateway complains: ${complaint}`);
    const [breach] = this.#breaches;
    if (breach !== undefined) throw new Error(`a right was gained: ${breach}`);
  }

  /** Remembers what is held in memory, once what is loaded late has been loaded. */
  async settle(): Promise<void> {
    await this.check();
    this.#heldBytes = await this.gateway.heldBytes();
  }

  /** All attackers have gone, and left nothing; at least so many cases were tried. Ends the gateway. */
  async finish(atLeast: number): Promise<void> {
    await this.check();
    let status = await this.status();
    const isLeft = async (): Promise<boolean> => {
      status = await this.status();
      const { sse, websocket } = status.sessions;
      return sse === 1 && websocket === 1 && Object.keys(status.rooms).join() === CANARY;
    };
    await waitUntil(isLeft, 'the attackers to be gone', 25_000).catch((error: unknown) => {
      throw new Error(JSON.stringify(status), { cause: error });
    });
    let held = 0;
    const isBack = async (): Promise<boolean> => {
      held = await this.gateway.heldBytes();
      return held < this.#heldBytes + LEFT_BYTES;
    };
    await waitUntil(isBack, 'memory to be back where it was', 10_000).catch((error: unknown) => {
      throw new Error(`${String(this.#heldBytes)} bytes were held, now ${String(held)}`, { cause: error });
    });
    await this.check();
    for (const client of this.#bystanders) client.leave();
    const code = await this.gateway.stop();
    if (code !== 0) throw new Error(`the gateway ended with ${String(code)}`);
    const cases = [...this.#cases].map(([entrance, count]) => `${entrance} ${String(count)}`).join(', ');
    const total = [...this.#cases.values()].reduce((sum, count) => sum + count, 0);
    process.stdout.write(
      `hostile cases: ${cases}; together ${String(total)}, answers ${String(this.#answers)}; ` +
        `held ${kilobytes(this.#heldBytes)}, then ${kilobytes(held)}; counters ${JSON.stringify(status.counters)}\n`,
    );
    if (total < atLeast) throw new Error(`only ${String(total)} cases were generated`);
  }

  /** Sends, and listens until there is what is wanted, or long nothing. Resolves with all that came. */
  #exchange({ bytes, answers = 1 }: Attack): Promise<Buffer> {
    return new Promise((resolve) => {
      const parts: Buffer[] = [];
      const socket = net.connect(this.port, '127.0.0.1', () => {
        socket.write(bytes);
        socket.setTimeout(answers > 1 ? SILENCE_MS.surely : SILENCE_MS.perhaps, () => void socket.destroy());
      });
      socket.on('data', (part: Buffer) => {
        parts.push(part);
        const got = answersIn(Buffer.concat(parts));
        if (got.length > answers || (got.length === answers && isEnough(got[answers - 1]))) socket.destroy();
      });
      socket.on('error', () => undefined);
      socket.on('close', () => {
        resolve(Buffer.concat(parts));
      });
    });
  }

  #judge({ status, headers, body, isWhole }: RawAnswer, cause: unknown): void {
    this.#answers += 1;
    this.inspect(body, cause);
    const fault = (why: string): Error =>
      new Error(`${shown(cause)} was answered with ${why}: ${String(status)} ${body.slice(0, 300)}`);
    if (headers.has('x-injected')) throw fault('a header of its own');
    if (status < 400 || body === '' || !isWhole) return;
    // Engine.IO's own refusals, and those of its websockets, are as its clients know them.
    if (status === 400 && /^\{"code":[0-5],"message":"/.test(body)) return;
    if (
      [400, 405, 426].includes(status) &&
      headers.get('content-type') === 'text/html' &&
      headers.has('connection')
    )
      return;
    const { error } = parse(body) as { error?: { code: keyof typeof ERRORS; message: string } };
    if (error === undefined || !Object.hasOwn(ERRORS, error.code) || typeof error.message !== 'string')
      throw fault('no refusal of the one shape');
    if (ERRORS[error.code].status !== status) throw fault('another status than its code has');
    if (status >= 500 && status !== 503) throw fault('a failure');
  }

  async #pulse(): Promise<void> {
    const event = { type: 'fact_added', room: CANARY, data: { n: this.#published, secret: this.#secret } };
    const { status } = await this.ask('POST', '/api/events', event);
    if (status !== 202) throw new Error(`the operator may not publish: ${String(status)}`);
    this.#published += 1;
    for (const client of this.#bystanders) {
      const expected = Array.from({ length: this.#published }, (_, n) => n);
      await waitUntil(() => client.events.length >= this.#published, `a ${client.wire} bystander's events`);
      const got = client.events.map(({ data }) => (data as { n?: unknown } | null)?.n ?? data);
      if (JSON.stringify(got) !== JSON.stringify(expected) || client.isClosed || client.gaps.length > 0)
        throw new Error(`a ${client.wire} bystander got ${JSON.stringify(got.slice(-20))}`);
    }
  }
}

/** A stream never ends by itself: its first words will do. */
function isEnough(answer: RawAnswer | undefined): boolean {
  const isStream = answer?.headers.get('content-type') === 'text/event-stream';
  return answer?.isWhole === true || (isStream && answer.body.includes('event: welcome'));
}

/**
 * Runs a property over batches of cases. What fails is told with the seed, and as the rig tells it: a batch is too long to be
 * shown.
 */
export async function forBatches<T>(
  one: fc.Arbitrary<T>,
  { size, runs }: { readonly size: number; readonly runs: number },
  run: (batch: readonly T[]) => Promise<void>,
): Promise<void> {
  const batch = fc.array(one, { minLength: size, maxLength: size });
  const details = await fc.check(fc.asyncProperty(batch, run), { numRuns: runs, endOnFailure: true });
  if (!details.failed) return;
  const { message } = details.errorInstance as Error;
  throw new Error(`with seed ${String(details.seed)}, batch ${String(details.numRuns)}: ${message}`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

function shown(cause: unknown): string {
  const text = Buffer.isBuffer(cause) ? cause.toString('latin1') : String(cause);
  return JSON.stringify(text.length > 1500 ? `${text.slice(0, 1500)}…` : text);
}

function kilobytes(bytes: number): string {
  return `${String(Math.round(bytes / 1000))} kB`;
}
