import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './launched-gateway.js';

/** Major versions of python-socketio: protocol 5 over Engine.IO 4, and protocol 4 over Engine.IO 3. */
export type PythonVersion = 5 | 4;

/** The transport a {@link PythonClient} asks for. */
export type PythonTransport = 'polling' | 'websocket';

const pythonOf = (version: PythonVersion): string =>
  path.join(ROOT, `node_modules/.cache/flipgate-python-socketio-${String(version)}`, 'bin/python');

/** Whether `scripts/install-test-tools.mjs` could install both versions. */
export const hasPythonClients = ([5, 4] as const).every((version) =>
  existsSync(path.join(pythonOf(version), '../../installed.txt')),
);

/** The real python-socketio in a process of its own, with all its defaults, as `stock_client.py` uses it. */
export class PythonClient {
  /** What it said so far: `["connect"]`, `["disconnect"]`, `["fact_added", data]`. */
  readonly told: unknown[][] = [];
  /** Such as `5 over polling`. */
  readonly name: string;
  readonly #process: ChildProcess;
  #errors = '';

  constructor(version: PythonVersion, url: string, transport: PythonTransport) {
    this.name = `${String(version)} over ${transport}`;
    const { PATH, HOME } = process.env;
    const child = spawn(
      pythonOf(version),
      [path.join(ROOT, 'test/support/python/stock_client.py'), url, transport],
      { env: { PATH, HOME, PYTHONDONTWRITEBYTECODE: '1' }, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.#process = child;
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.told.push(JSON.parse(line) as unknown[]);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text;
    });
  }

  /** How often it said so. */
  count(what: 'connect' | 'disconnect'): number {
    return this.told.filter(([name]) => name === what).length;
  }

  /** The data of all events it got. */
  get facts(): unknown[] {
    return this.told.filter(([name]) => name === 'fact_added').map(([, data]) => data);
  }

  /** What it said, for the message of a test that fails. */
  describe(): string {
    return `python-socketio ${this.name}: ${JSON.stringify(this.told)} ${this.#errors}`;
  }

  async close(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill('SIGKILL');
    await once(this.#process, 'exit');
  }
}
