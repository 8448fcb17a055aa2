import { rmSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';
import type { CrewMessage, CrewRequest, Remains } from './crew-messages.js';

/** How often a sample is sent, ms. */
const SAMPLE_MS = 250;

/** What a member of a crew does. */
export interface CrewWork<Question, Sample> {
  /** Answers a question. What it throws ends the process, which is told to whoever asked. */
  readonly answer: (question: Question) => unknown;
  /** How it is. `lagMs`: the longest time its own loop kept things waiting since the last call. */
  readonly sample: (lagMs: number) => Sample;
}

/**
 * Makes this process, which a `Crew` started, a member of it. It ends with whoever started it, and then clears away what
 * that could not.
 */
export function joinCrew<Question, Sample>({ answer, sample }: CrewWork<Question, Sample>): void {
  const lag = monitorEventLoopDelay({ resolution: 5 });
  lag.enable();
  let remains: Remains = { pids: [], folder: '' };
  const reply = async (id: number, question: Question): Promise<void> => {
    send({ answerTo: id, answer: await answer(question) });
  };
  process.on('message', (request: CrewRequest<Question>) => {
    if ('mourn' in request) remains = request.mourn;
    else void reply(request.id, request.question);
  });
  // Ctrl-C in a terminal reaches this process as well; who started it says when it is over.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => undefined);
  process.on('disconnect', () => {
    clearAway(remains);
    process.exit(0);
  });
  setInterval(() => {
    const lagMs = lag.max / 1e6;
    lag.reset();
    send({ sample: sample(lagMs) });
  }, SAMPLE_MS);
}

function send<Sample>(message: CrewMessage<Sample>): void {
  // While whoever asked goes away there is nobody to tell.
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

/** Who started this is gone. Where it ended by itself nothing is left; where it was killed, what it started is still there. */
function clearAway({ pids, folder }: Remains): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Another member was faster.
    }
  }
  if (folder !== '') rmSync(folder, { recursive: true, force: true });
}
