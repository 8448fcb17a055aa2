// What the system says a process has used: nothing here asks the process itself.
import { readdirSync, readFileSync } from 'node:fs';

/** CPU time of all threads of a process so far, in µs (Linux, /proc/<pid>/task/<tid>/schedstat). */
export function cpuMicros(pid) {
  let nanos = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      nanos += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
    } catch {
      // A thread that ended meanwhile: its time is lost to this figure, and too little to matter.
    }
  }
  return nanos / 1000;
}

/** Resident memory of a process in bytes (Linux, /proc/<pid>/statm; pages of 4 KiB). */
export function rssBytes(pid) {
  return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096;
}

/** The median of some numbers. */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The pth percentile (0–100) of some numbers. */
export function percentile(numbers, p) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((p / 100) * sorted.length))];
}
