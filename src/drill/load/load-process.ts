import { rmSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';
import { LoadClients } from './load-clients.js';
import { LoadRecord } from './load-record.js';
import type { LoadAnswers, LoadMessage, LoadQuestion, LoadRequest, Remains, Sample } from './messages.js';

/** How often a sample is sent, ms. */
const SAMPLE_MS = 250;

const record = new LoadRecord();
const lag = monitorEventLoopDelay({ resolution: 5 });
lag.enable();
let clients: LoadClients | undefined;
let remains: Remains = { pids: [], folder: '' };

process.on('message', (request: LoadRequest) => {
  if ('mourn' in request) remains = request.mourn;
  else void reply(request.id, request.question);
});
// Ctrl-C in a terminal reaches this process as well; the drill says when it is over.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('disconnect', () => {
  clearAway(remains);
  process.exit(0);
});
setInterval(() => {
  send({ sample: takeSample() });
}, SAMPLE_MS);

async function reply(id: number, question: LoadQuestion): Promise<void> {
  send({ answerTo: id, answer: await answerTo(question) });
}

async function answerTo(question: LoadQuestion): Promise<LoadAnswers[keyof LoadAnswers]> {
  if (question.ask === 'connect') {
    clients = new LoadClients(question.plan, record);
    await clients.connect();
    return true;
  }
  if (clients === undefined) throw new Error('a load process is asked for clients before it has any');
  return question.ask === 'progress' ? clients.progress(question.target) : clients.faults(question.steps);
}

function takeSample(): Sample {
  const lagMs = lag.max / 1e6;
  lag.reset();
  const connected = clients?.connected() ?? { sse: 0, websocket: 0, legacy: 0 };
  return { at: Date.now(), connected, lagMs, ...record.take() };
}

function send(message: LoadMessage): void {
  // While the drill goes away there is nobody to tell.
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

/** The drill is gone. Where it ended by itself nothing is left; where it was killed, what it started is still there. */
function clearAway({ pids, folder }: Remains): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Another load process was faster.
    }
  }
  if (folder !== '') rmSync(folder, { recursive: true, force: true });
}
