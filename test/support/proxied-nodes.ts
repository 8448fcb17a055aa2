import { statusOf } from './gateway-status.js';
import { requestJson } from './json-request.js';
import { type LaunchedGateway, launchGateway } from './launched-gateway.js';
import { hasProxy, type LaunchedProxy, launchProxy, PROXIES, type ProxyName } from './launched-proxy.js';
import { freePort } from './redis-server.js';
import { waitUntil } from './wait-until.js';

/** The proxies that can be tested here; what is missing is said on stderr. */
export const installedProxies = PROXIES.filter(hasProxy);
const missing = PROXIES.filter((name) => !installedProxies.includes(name));
if (missing.length > 0) {
  process.stderr.write(
    `SKIPPED, the configurations in deploy/ of ${missing.join(', ')}: not installed, or no openssl (scripts/install-test-tools.mjs installs them)\n`,
  );
}

/** Two gateways on one Redis, behind one proxy. */
export class ProxiedNodes {
  readonly name: ProxyName;
  readonly proxy: LaunchedProxy;
  readonly #variables: Record<string, string>;
  readonly #nodes: LaunchedGateway[];

  private constructor(
    name: ProxyName,
    proxy: LaunchedProxy,
    variables: Record<string, string>,
    nodes: LaunchedGateway[],
  ) {
    this.name = name;
    this.proxy = proxy;
    this.#variables = variables;
    this.#nodes = nodes;
  }

  /** Starts them behind each proxy that is installed; `more` are further variables. */
  static startAll(
    redisUrl: string,
    more: Readonly<Record<string, string>> = {},
  ): Promise<readonly ProxiedNodes[]> {
    return Promise.all(
      installedProxies.map(async (name) => {
        const prefix = `test-${name}-${String(process.pid)}-${String(Date.now())}`;
        const variables = {
          APP_PROFILE: 'HYBRID',
          PING_INTERVAL: '1',
          DRAIN_MS: '500',
          REDIS_URL: redisUrl,
          REDIS_KEY_PREFIX: prefix,
          REDIS_CHANNELS: `${prefix}-events`,
          ...more,
        };
        const ports = [await freePort(), await freePort()] as const;
        const nodes = await Promise.all(
          ports.map((port) => launchGateway({ ...variables, PORT: String(port) })),
        );
        return new ProxiedNodes(name, await launchProxy(name, ports), variables, nodes);
      }),
    );
  }

  get nodes(): readonly LaunchedGateway[] {
    return this.#nodes;
  }

  /** How many clients each node has, over this wire. */
  sessions(wire: 'websocket' | 'sse'): Promise<number[]> {
    return Promise.all(this.#nodes.map(async ({ url }) => (await statusOf(url)).sessions[wire]));
  }

  /** Starts a node that has ended again, in its place; resolves when it is ready. */
  async startAgain(index: number): Promise<void> {
    const port = this.#nodes[index]?.port;
    const node = await launchGateway({ ...this.#variables, PORT: String(port) });
    this.#nodes[index] = node;
    await waitUntil(
      async () => (await requestJson('GET', `${node.url}/readyz`)).status === 200,
      'the node to be ready',
    );
  }

  /** Whether the proxy said of each node that it is not ready, after so many characters; nginx does not ask. */
  hasLeftOutAll(after = 0): boolean {
    const said = this.proxy.output().slice(after);
    const words = {
      nginx: () => '',
      haproxy: (index: number) => `flipgate_socketio/${'ab'.charAt(index)} is DOWN`,
      caddy: (index: number) => `"status_code":503,"host":"127.0.0.1:${String(this.#nodes[index]?.port)}"`,
    }[this.name];
    return [0, 1].every((index) => said.includes(words(index)));
  }

  async stop(): Promise<void> {
    await this.proxy.stop();
    await Promise.all(this.#nodes.map((node) => node.kill()));
  }
}

/** Does it behind all of them at once; what goes wrong says behind which. */
export async function behindAll(
  rigs: readonly ProxiedNodes[],
  act: (rig: ProxiedNodes) => Promise<void>,
): Promise<void> {
  const all = rigs.map(async (rig) => {
    try {
      await act(rig);
    } catch (error) {
      if (error instanceof Error) error.message = `behind ${rig.name}: ${error.message}`;
      throw error;
    }
  });
  // None goes on into the next test.
  await Promise.allSettled(all);
  await Promise.all(all);
}
