import { joinCrew } from '../../rig/crew-member.js';
import { LoadClients } from './load-clients.js';
import type { LoadAnswers, LoadQuestion, LoadSample } from './messages.js';

let clients: LoadClients | undefined;
let refused: Record<string, number> = {};

joinCrew<LoadQuestion, LoadSample>({
  answer: answerTo,
  sample: (lagMs) => {
    const sample = { lagMs, refused };
    refused = {};
    return sample;
  },
});

async function answerTo(question: LoadQuestion): Promise<LoadAnswers[keyof LoadAnswers]> {
  if (question.ask === 'connect') {
    clients?.close();
    clients = new LoadClients(question.plan);
    await clients.connect((reason) => {
      refused[reason] = (refused[reason] ?? 0) + 1;
    });
    return true;
  }
  if (question.ask === 'disconnect') {
    clients?.close();
    clients = undefined;
    return true;
  }
  if (clients === undefined) throw new Error('a load process is asked for clients before it has any');
  return question.ask === 'progress' ? clients.progress(question.upTo) : clients.collect(question.collection);
}
