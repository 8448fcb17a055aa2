import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { streamKey } from '../../src/core/log/stream-key.js';
import { AckedPublisher } from './acked-publisher.js';
import { bundleWire } from './bundle-wire.js';
import { eventSourceWire } from './event-source-wire.js';
import { requestJson } from './json-request.js';
import { type LaunchedGateway, launchGateway } from './launched-gateway.js';
import { waitUntil } from './wait-until.js';
import type { WireClient } from './wire-client.js';

/** How long recovery from an outage may take before a test gives up, ms. */
export const PATIENCE_MS = 45_000;

/**
 * Two gateways on one Redis, clients of both wires on both of them, and publishers that know what was acknowledged: what
 * an outage is tried on.
 */
export class OutageRig {
  readonly nodes: readonly LaunchedGateway[];
  readonly clients: readonly WireClient[];
  readonly publisher: AckedPublisher;
  /** The stream of the log. */
  readonly key: string;
  /** What is published to, and what clients are in; the default room where the test names none. */
  readonly rooms: readonly string[];
  readonly #slowest = { ms: 0 };
  #watching = true;
  readonly #watch: Promise<unknown>;

  private constructor(
    nodes: readonly LaunchedGateway[],
    clients: readonly WireClient[],
    publisher: AckedPublisher,
    { prefix, rooms }: { prefix: string; rooms: readonly string[] },
  ) {
    this.nodes = nodes;
    this.clients = clients;
    this.publisher = publisher;
    this.rooms = rooms;
    this.key = streamKey(prefix);
    this.#watch = Promise.all(nodes.map((node) => this.#askHealth(node.url)));
  }

  /** Starts all; resolves once events flow. `variables` are the gateways' own; `rooms`: the default room. */
  static async start(variables: Record<string, string>, rooms: readonly string[] = []): Promise<OutageRig> {
    const prefix = `test-${randomUUID()}`;
    const common = { APP_PROFILE: 'HYBRID', REDIS_KEY_PREFIX: prefix, REDIS_CHANNELS: prefix, ...variables };
    const nodes = await Promise.all([launchGateway(common), launchGateway(common)]);
    await Promise.all(nodes.map((node) => waitUntil(() => isReady(node), 'a node to be ready', PATIENCE_MS)));
    const clients = await Promise.all(
      nodes.flatMap(({ url }) => [
        eventSourceWire.connect(url, { rooms }),
        bundleWire('websocket').connect(url, { rooms }),
      ]),
    );
    const publisher = new AckedPublisher(
      nodes.map(({ url }) => url),
      rooms,
    );
    const rig = new OutageRig(nodes, clients, publisher, { prefix, rooms });
    await rig.goesOn();
    return rig;
  }

  /** Waits until both gateways say so at `/readyz`. */
  async untilReady(ready: boolean): Promise<void> {
    await Promise.all(
      this.nodes.map((node) =>
        waitUntil(async () => (await isReady(node)) === ready, `readyz to be ${String(ready)}`, PATIENCE_MS),
      ),
    );
  }

  /** Waits until publishers are refused, at both gateways. */
  async untilRefused(): Promise<void> {
    const before = this.publisher.numbers('refused').length;
    await waitUntil(
      () => this.publisher.numbers('refused').length >= before + 30,
      'publishers to be refused',
      PATIENCE_MS,
    );
  }

  /** Waits until publishers are told that what they publish may not be stored, at both gateways. */
  async untilUnknown(): Promise<void> {
    const before = this.publisher.numbers('unknown').length;
    await waitUntil(
      () => this.publisher.numbers('unknown').length >= before + 6,
      'publishers not to be told that it is stored',
      PATIENCE_MS,
    );
  }

  /** Waits until more is acknowledged. */
  async goesOn(): Promise<void> {
    const before = this.publisher.numbers('stored').length;
    await waitUntil(
      () => this.publisher.numbers('stored').length >= before + 90,
      'more to be stored',
      PATIENCE_MS,
    );
  }

  /**
   * Ends the publishers and waits until every client has the log's last event. Returns everything that is wrong with the
   * log or with what clients got: nothing lost, nothing doubled, nothing out of order, nobody sent away. `url` is where
   * Redis is, or says where the stream is.
   */
  async finish(url: string | ((key: string) => Promise<string>)): Promise<string[]> {
    await this.publisher.stop();
    this.#watching = false;
    await this.#watch;
    const logged = await this.logged(url);
    const faults = this.publisher.faultsOf(logged.map(({ number }) => number));
    for (const { got } of this.clients) {
      for (const room of new Set(logged.map((one) => one.room))) {
        const ids = logged.filter((one) => one.room === room).map(({ id }) => id);
        const last = String(ids.at(-1));
        await waitUntil(() => got.cursorId === last || got.ids.includes(last), 'the last event', PATIENCE_MS);
        const gotIds = got.events.filter((one) => one.room === room).map(({ id }) => id);
        if (gotIds.join() !== ids.join())
          faults.push(`a client got other events of room ${room} than the log holds`);
      }
      if (got.gaps.length > 0) faults.push(`a client was told of a gap: ${JSON.stringify(got.gaps)}`);
      if (got.losses > 0) faults.push(`a client lost its connection ${String(got.losses)} times`);
    }
    if (this.#slowest.ms > 2000) faults.push(`/healthz took ${String(this.#slowest.ms)} ms`);
    return faults;
  }

  /** All that the log holds. */
  async logged(url: string | ((key: string) => Promise<string>)): Promise<Logged[]> {
    const redis = new Redis(typeof url === 'string' ? url : await url(this.key));
    const entries = await redis.xrange(this.key, '-', '+');
    await redis.quit();
    return entries.map(([id, fields]) => {
      const valueOf = (name: string): string | undefined => fields[fields.indexOf(name) + 1];
      const room = fields.includes('room') ? String(valueOf('room')) : 'default';
      return { id, room, number: Number(valueOf('data')) };
    });
  }

  async close(): Promise<void> {
    this.#watching = false;
    await Promise.all([this.publisher.stop(), this.#watch, ...this.clients.map((client) => client.close())]);
  }

  /** Whatever befalls Redis, the loop of a gateway serves others. */
  async #askHealth(url: string): Promise<void> {
    while (this.#watching) {
      const askedAt = performance.now();
      await requestJson('GET', `${url}/healthz`).catch(() => undefined);
      this.#slowest.ms = Math.max(this.#slowest.ms, performance.now() - askedAt);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** An event as the log holds it. */
export interface Logged {
  readonly id: string;
  readonly room: string;
  readonly number: number;
}

/** What `/readyz` says. */
export async function isReady({ url }: { readonly url: string }): Promise<boolean> {
  return (await requestJson('GET', `${url}/readyz`)).status === 200;
}
