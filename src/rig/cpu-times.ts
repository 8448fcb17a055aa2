import { readFileSync } from 'node:fs';

/** Ticks of the system's clock in a second, as Linux counts the time of processes (USER_HZ). */
const TICKS_PER_SECOND = 100;

/**
 * CPU seconds of a process so far, all its threads; undefined where it is gone, or the system does not tell (other than
 * Linux).
 */
export function cpuSeconds(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    // The name of the program, in brackets, may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return undefined;
  }
}

/** Adds up the CPU time of groups of processes, whose members may come and go. */
export class CpuTimes {
  readonly #last = new Map<number, number>();
  readonly #used = new Map<string, number>();

  /** Reads the times of these processes, which belong to `group`. */
  read(group: string, pids: readonly number[]): void {
    for (const pid of pids) {
      const seconds = cpuSeconds(pid);
      if (seconds === undefined) continue;
      // A process that is new here has begun since the last reading.
      const used = seconds - (this.#last.get(pid) ?? 0);
      this.#last.set(pid, seconds);
      this.#used.set(group, (this.#used.get(group) ?? 0) + used);
    }
  }

  /** CPU seconds by group so far; empty where the system does not tell. */
  used(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#used);
  }
}
