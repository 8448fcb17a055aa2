import { joinCrew } from '../../rig/crew-member.js';
import { LoadClients } from './load-clients.js';
import { LoadRecord } from './load-record.js';
import type { LoadAnswers, LoadQuestion, Sample } from './messages.js';

const record = new LoadRecord();
let clients: LoadClients | undefined;

joinCrew<LoadQuestion, Sample>({
  answer: answerTo,
  sample: (lagMs) => {
    const connected = clients?.connected() ?? { sse: 0, websocket: 0, legacy: 0 };
    return { at: Date.now(), connected, lagMs, ...record.take() };
  },
});

async function answerTo(question: LoadQuestion): Promise<LoadAnswers[keyof LoadAnswers]> {
  if (question.ask === 'connect') {
    clients = new LoadClients(question.plan, record);
    await clients.connect();
    return true;
  }
  if (clients === undefined) throw new Error('a load process is asked for clients before it has any');
  return question.ask === 'progress' ? clients.progress(question.target) : clients.faults(question.steps);
}
