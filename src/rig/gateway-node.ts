import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { Child } from './child.js';
import { until } from './until.js';

const CLI = fileURLToPath(new URL('../cli.js', import.meta.url));
/** How long a gateway may take until it is fit to receive traffic, ms. */
const READY_MS = 20_000;

/** How a gateway of its own is started. */
export interface NodeOptions {
  /** For people, such as `node 1`. */
  readonly name: string;
  readonly port: number;
  /** Working folder, in which no env file lies. */
  readonly folder: string;
  /** Its variables, the port aside. */
  readonly variables: Readonly<Record<string, string>>;
}

/** A gateway, always at the same port, however often it is ended and started again. */
export class GatewayNode {
  readonly name: string;
  /** Where it listens, without a slash at the end. */
  readonly url: string;
  readonly #options: NodeOptions;
  #child: Child | undefined;
  #isClosed = false;

  constructor(options: NodeOptions) {
    this.name = options.name;
    this.url = `http://127.0.0.1:${String(options.port)}`;
    this.#options = options;
  }

  /** Undefined while it does not run. */
  get pid(): number | undefined {
    return this.#child?.isRunning === true ? this.#child.pid : undefined;
  }

  /** Starts it; resolves once it is fit to receive traffic. Throws an error that says why it is not. */
  async start(): Promise<void> {
    if (this.#isClosed) throw new Error(`${this.name} is not started any more`);
    const { port, folder, variables } = this.#options;
    const { PATH, HOME, TMPDIR, SystemRoot } = process.env;
    const env = { PATH, HOME, TMPDIR, SystemRoot, ...variables, PORT: String(port) };
    const child = new Child(process.execPath, [CLI, 'start'], { folder, env });
    this.#child = child;
    const ready = await until(READY_MS, async () => !child.isRunning || (await this.#isReady()));
    if (!child.isRunning || !ready) {
      const why = child.isRunning ? 'is not ready' : 'ended';
      throw new Error(`${this.name} ${why} after its start:\n${child.lines.slice(-10).join('\n')}`);
    }
  }

  /** SIGTERM, as an orchestrator would; resolves with the exit code once it is gone. */
  async stop(): Promise<number | null> {
    return (await this.#child?.end('SIGTERM')) ?? null;
  }

  /** SIGKILL; resolves once it is gone. */
  async kill(): Promise<void> {
    await this.#child?.end('SIGKILL');
  }

  /** SIGKILL, and it is never started again; resolves once it is gone. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.kill();
  }

  /** The end of what it logged, warnings and worse. */
  get lines(): readonly string[] {
    return this.#child?.lines ?? [];
  }

  /** What `GET /api/admin/status` says of it: whether it copies what is published on channels. */
  async copiesChannels(): Promise<boolean> {
    const response = await fetch(`${this.url}/api/admin/status`);
    const { log } = (await response.json()) as { log?: { bridge?: unknown } };
    return log?.bridge === 'copying';
  }

  async #isReady(): Promise<boolean> {
    try {
      const response = await fetch(`${this.url}/readyz`, { headers: { connection: 'close' } });
      await response.arrayBuffer();
      return response.status === 200;
    } catch {
      return false;
    }
  }
}
