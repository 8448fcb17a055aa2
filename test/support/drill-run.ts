import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { DrillResult } from '../../src/drill/drill-result.js';
import { ROOT } from './launched-gateway.js';

const running = new Set<DrillRun>();

/** `node dist/cli.js drill` as a process of its own, in a folder of its own, in which it and all it starts leave traces. */
export class DrillRun {
  readonly process: ChildProcess;
  readonly #folder = mkdtempSync(path.join(os.tmpdir(), 'flipgate-drilled-'));
  readonly #ended: Promise<unknown>;
  stdout = '';
  stderr = '';

  constructor(...args: string[]) {
    const { PATH, HOME } = process.env;
    this.process = spawn(
      process.execPath,
      [path.join(ROOT, 'dist/cli.js'), 'drill', ...args, '--json', this.#file, '--report', this.#page],
      { cwd: this.#folder, env: { PATH, HOME, TMPDIR: this.#folder }, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    running.add(this);
    this.#ended = once(this.process, 'close');
    this.process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
  }

  /** Resolves with the exit code once it has ended; null where a signal ended it. */
  async exitCode(): Promise<number | null> {
    await this.#ended;
    return this.process.exitCode;
  }

  get result(): DrillResult {
    return JSON.parse(readFileSync(this.#file, 'utf8')) as DrillResult;
  }

  get report(): string {
    return readFileSync(this.#page, 'utf8');
  }

  /** Processes that run in its folder, by what they were started with (Linux). */
  get processes(): string[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => {
        try {
          if (!readlinkSync(`/proc/${pid}/cwd`).startsWith(this.#folder)) return [];
          return [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`];
        } catch {
          // It ended meanwhile.
          return [];
        }
      });
  }

  /** Folders that it made, and did not remove. */
  get folders(): string[] {
    return existsSync(this.#folder) ? readdirSync(this.#folder).filter((name) => !name.includes('.')) : [];
  }

  /** Ends it and all it started, and removes its folder. */
  remove(): void {
    for (const line of this.processes) {
      try {
        process.kill(Number.parseInt(line, 10), 'SIGKILL');
      } catch {
        // It ended meanwhile.
      }
    }
    rmSync(this.#folder, { recursive: true, force: true });
    running.delete(this);
  }

  get #file(): string {
    return path.join(this.#folder, 'drill.json');
  }

  get #page(): string {
    return path.join(this.#folder, 'drill.html');
  }
}

/** Ends what tests left running; for `afterAll`. */
export function removeDrills(): void {
  for (const run of running) run.remove();
}
