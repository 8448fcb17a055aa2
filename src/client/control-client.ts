import { GatewayError, isPassing } from './gateway-error.js';
import { type Answer, ask, errorOf, type TokenSource } from './http.js';
import { pause, persist } from './persist.js';

/** What may be said of a command. */
export interface ControlOptions {
  /** Gives up; the promise is rejected with the signal's reason. The command may run all the same. */
  readonly signal?: AbortSignal;
  /** 1–255 printable ASCII: the gateway gives the same key the first outcome. Default: a random one for each call. */
  readonly idempotencyKey?: string;
  /** ms for all tries and the command itself. Default 30 s. */
  readonly timeoutMs?: number;
}

/** A command on its way over one wire: asked for again with the same key, it is the same command. */
export interface CommandRequest {
  readonly action: string;
  readonly data: unknown;
  readonly idempotencyKey: string;
  /** The command, once it is known: it need only be asked about. */
  readonly id: string | undefined;
  readonly leftMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Asks once for a command, or about it; the answer's body is a command's state or a refusal. */
export type AskCommand = (request: CommandRequest) => Promise<Answer>;

/** The state of a command. Source: PROTOCOL.md, HTTP. */
interface CommandState {
  readonly id?: string;
  readonly status?: 'queued' | 'succeeded' | 'failed';
  readonly result?: unknown;
}

/** Between two questions about a command that takes longer, ms. */
const FOLLOW_MS = 500;

/** Sends commands over HTTP. */
export class ControlClient {
  readonly #ask: AskCommand;

  /** `url` of the gateway's control, such as `https://gateway.example/api/control`. `token`: asked for each try. */
  constructor(url: string, { token }: { readonly token?: TokenSource } = {}) {
    this.#ask = askOverHttp(() => url, token);
  }

  /**
   * Sends a command; resolves with its result once it has ended. Tries again, with one `Idempotency-Key`, on 429 and 503
   * after the time the gateway names, and on lost connections. Rejects with a {@link GatewayError}: the gateway's
   * refusal, the command's failure, or `timeout`.
   */
  send(action: string, data?: unknown, options: ControlOptions = {}): Promise<unknown> {
    return sendCommand(this.#ask, action, data, options);
  }
}

/** Asks at what `url` gives at that time. */
export function askOverHttp(url: () => string, token: TokenSource | undefined): AskCommand {
  return ({ action, data, idempotencyKey, id, leftMs, signal }) => {
    const common = { token, signal, timeoutMs: Math.min(leftMs, 15_000) };
    return id === undefined
      ? ask(url(), { ...common, body: { action, data }, idempotencyKey })
      : ask(`${url()}/${id}`, common);
  };
}

/** Sends a command as {@link ControlClient.send} does, over any wire. */
export function sendCommand(
  askOnce: AskCommand,
  action: string,
  data: unknown,
  { signal, timeoutMs, idempotencyKey = freshKey() }: ControlOptions,
): Promise<unknown> {
  let id: string | undefined;
  let hasFailed = false;
  const once = async (leftMs: number): Promise<unknown> => {
    for (const until = Date.now() + leftMs; ; ) {
      const left = until - Date.now();
      if (left <= 0) throw new GatewayError('timeout', 'the command goes on');
      const answer = await askOnce({ action, data, idempotencyKey, id, leftMs: left, signal });
      const state = (answer.body ?? {}) as CommandState;
      if (state.status === 'succeeded') return state.result;
      // The outcome of the command itself: asked again, it would be the same.
      hasFailed = state.status === 'failed';
      if (state.status !== 'queued') throw errorOf(answer);
      id = state.id;
      await pause(Math.min(FOLLOW_MS, left), signal);
    }
  };
  return persist(once, (error) => !hasFailed && isPassing(error), { timeoutMs, signal });
}

/** Not `crypto.randomUUID`, which pages served over plain HTTP do not have. */
const freshKey = (): string => crypto.getRandomValues(new Uint32Array(4)).join('-');
