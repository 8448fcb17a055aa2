import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Clock } from '../clock.js';
import { Refusal } from '../errors.js';
import type { Logger } from '../logger.js';
import type { Counters } from '../metrics/counters.js';
import type { RedisConnection } from '../redis/redis-connection.js';
import { LiveSubscription } from '../redis/live-subscription.js';
import {
  MAX_BODY_LENGTH,
  type NodePing,
  type NodeReply,
  type NodeRequest,
  parseNodeMessage,
} from './node-message.js';

/** How long a node may take to answer, ms. */
export const ANSWER_MS = 2000;
/** Requests to other nodes that may be in flight at once; their bodies together may have {@link MAX_BODY_LENGTH}. */
const MAX_IN_FLIGHT = 1000;

/**
 * Answers requests about one subject: takes the body another node sent, unchecked, and gives what JSON can carry, or a
 * promise of that. Who asks waits {@link ANSWER_MS}.
 */
export type RequestHandler = (body: unknown) => unknown;

/** Who is there, as {@link NodeMessages} ask. */
export interface NodeDirectory {
  /** Whether that node is there; a refusal when that can't be said now. */
  knows(id: string): Promise<boolean | Refusal>;
  /** One time for all nodes, ms. */
  sharedNow(): number;
}

/** What {@link NodeMessages} work with. */
export interface NodeMessagesParts {
  readonly directory: NodeDirectory;
  readonly publisher: RedisConnection;
  readonly subscriber: Redis;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
}

/** What became of a request: another node's answer, unchecked; undefined when there is no such node. */
export type NodeAnswer = { readonly body: unknown } | Refusal | undefined;

const PING = JSON.stringify({ kind: 'ping' } satisfies NodePing);

/** Requests of nodes to each other, and their answers: each node listens on a channel of its own. */
export class NodeMessages {
  readonly #id: string;
  readonly #keyPrefix: string;
  readonly #parts: NodeMessagesParts;
  readonly #handlers = new Map<string, RequestHandler>();
  /** What settles each request in flight. */
  readonly #pending = new Map<string, (answer: NodeAnswer) => void>();
  /** Characters of their bodies. */
  #inFlight = 0;
  readonly #subscription: LiveSubscription;
  #tellListening: () => void = () => undefined;

  constructor(id: string, keyPrefix: string, parts: NodeMessagesParts) {
    this.#id = id;
    this.#keyPrefix = keyPrefix;
    this.#parts = parts;
    this.#subscription = new LiveSubscription({
      ...parts,
      name: 'nodes',
      subscribe: async () => {
        await parts.subscriber.subscribe(this.#channelOf(id));
        this.#tellListening();
      },
      publish: () => this.#publish(id, PING),
    });
  }

  /** Requests about `subject` are answered by `handler`; to be said before {@link listen}. */
  serve(subject: string, handler: RequestHandler): void {
    this.#handlers.set(subject, handler);
  }

  /** Begins to listen, and goes on by itself after a lost connection. Resolves when it listens for the first time. */
  listen(): Promise<void> {
    this.#parts.subscriber.on('message', (_channel: string, text: string) => {
      this.#take(text);
    });
    return new Promise((resolve) => {
      this.#tellListening = resolve;
      this.#subscription.start();
    });
  }

  /** Asks another node; answers within {@link ANSWER_MS}, whatever happens. */
  ask(node: string, subject: string, body: object): Promise<NodeAnswer> {
    const { clock, directory } = this.#parts;
    const bodyJson = JSON.stringify(body);
    const refusal = this.#refusalFor(bodyJson.length);
    if (refusal !== undefined) return Promise.resolve(refusal);
    const id = randomUUID();
    const until = directory.sharedNow() + ANSWER_MS;
    const head = { kind: 'request', id, from: this.#id, subject, until } satisfies Omit<NodeRequest, 'body'>;
    return new Promise((resolve) => {
      const cancel = clock.after(ANSWER_MS, () => {
        this.#fail(id, 'timeout', 'the gateway that has this does not answer');
      });
      this.#inFlight += bodyJson.length;
      this.#pending.set(id, (answer) => {
        this.#pending.delete(id);
        this.#inFlight -= bodyJson.length;
        cancel();
        resolve(answer);
      });
      void this.#request(node, id, `${JSON.stringify(head).slice(0, -1)},"body":${bodyJson}}`);
    });
  }

  /** Stops listening; who still waits is refused. */
  close(): void {
    this.#subscription.stop();
    for (const settle of this.#pending.values()) {
      settle(new Refusal('shutting_down', 'this node is going down', 1000));
    }
    this.#parts.subscriber.disconnect();
  }

  #refusalFor(length: number): Refusal | undefined {
    const { counters } = this.#parts;
    if (length > MAX_BODY_LENGTH) {
      counters.add('node_requests_refused', 'too_large');
      return new Refusal('payload_too_large', 'too much to hand on to the gateway that has this');
    }
    if (this.#pending.size < MAX_IN_FLIGHT && this.#inFlight + length <= MAX_BODY_LENGTH) return undefined;
    counters.add('node_requests_refused', 'in_flight');
    return new Refusal('queue_full', 'too many requests to other gateways are under way', 1000);
  }

  async #request(node: string, id: string, text: string): Promise<void> {
    const known = await this.#parts.directory.knows(node);
    if (known === true) {
      await this.#publish(node, text).catch(() => {
        this.#fail(id, 'unsent', 'the other gateways can not be reached: Redis is away');
      });
    } else {
      if (known !== false) this.#parts.counters.add('node_requests_failed', 'unsent');
      this.#pending.get(id)?.(known === false ? undefined : known);
    }
  }

  #fail(id: string, reason: string, message: string): void {
    const settle = this.#pending.get(id);
    if (settle === undefined) return;
    this.#parts.counters.add('node_requests_failed', reason);
    settle(new Refusal('node_unavailable', message, 1000));
  }

  #take(text: string): void {
    const message = parseNodeMessage(text);
    if (message === undefined) this.#ignore('malformed');
    else if (message.kind === 'ping') this.#subscription.heard();
    else if (message.kind === 'reply') this.#settle(message);
    else void this.#answer(message);
  }

  #settle({ id, failed, body }: NodeReply): void {
    const settle = this.#pending.get(id);
    if (settle === undefined) return this.#ignore('unexpected');
    settle(failed ? new Refusal('internal', 'the request could not be carried out') : { body });
  }

  async #answer({ id, from, subject, until, body }: NodeRequest): Promise<void> {
    const { directory, counters, logger } = this.#parts;
    const handler = this.#handlers.get(subject);
    if (handler === undefined) return this.#ignore('unknown_subject');
    // Who asked has been told that it failed; what it asked may no longer be what it wants.
    if (until < directory.sharedNow()) return this.#ignore('late');
    let reply: object;
    try {
      const answer = handler(body);
      // What answers at once is heard in the order in which it was asked.
      const answered: unknown = answer instanceof Promise ? await answer : answer;
      reply = { kind: 'reply', id, failed: false, body: answered } satisfies NodeReply;
    } catch (error) {
      logger.error('a request of another node failed', { subject, error });
      reply = { kind: 'reply', id, failed: true };
    }
    this.#publish(from, JSON.stringify(reply)).catch(() => {
      counters.add('node_replies_lost');
    });
  }

  #ignore(reason: string): void {
    this.#parts.counters.add('node_messages_ignored', reason);
  }

  #publish(node: string, text: string): Promise<unknown> {
    return this.#parts.publisher.publish(this.#channelOf(node), text);
  }

  #channelOf(node: string): string {
    return `${this.#keyPrefix}:{nodes}:to:${node}`;
  }
}
