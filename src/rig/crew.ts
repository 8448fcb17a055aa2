import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { CrewMessage, CrewRequest, Remains } from './crew-messages.js';

/** A question: what is asked, and whatever it takes to answer. */
export interface Asked {
  readonly ask: string;
}

/**
 * Processes of one program that do the same work side by side: they are asked questions, and say by themselves how they
 * are. The program runs `joinCrew`. `Answers` has the answer to each question, by its name.
 */
export class Crew<Question extends Asked, Answers extends Record<Question['ask'], unknown>, Sample> {
  readonly #members: readonly ChildProcess[];
  readonly #waiting = new Map<number, { resolve: (answer: never) => void; reject: (error: Error) => void }>();
  #lastId = 0;
  #isClosing = false;

  /** Starts `size` processes of `program`, a file; `onSample` takes what each says of itself, numbered from 0. */
  constructor(program: string, size: number, onSample: (member: number, sample: Sample) => void) {
    this.#members = Array.from({ length: size }, (_, index) =>
      this.#start(program, (sample) => {
        onSample(index, sample);
      }),
    );
  }

  /** How many there are. */
  get size(): number {
    return this.#members.length;
  }

  /** Process ids. */
  get pids(): readonly number[] {
    return this.#members.flatMap(({ pid }) => pid ?? []);
  }

  /** Asks each member the question made for it, of which it is told its number; rejects where one is gone. */
  askEach<Own extends Question>(questionFor: (member: number) => Own): Promise<Answers[Own['ask']][]> {
    return Promise.all(this.#members.map((member, index) => this.#ask(member, questionFor(index))));
  }

  /** Asks all members the same. */
  askAll<Own extends Question>(question: Own): Promise<Answers[Own['ask']][]> {
    return this.askEach(() => question);
  }

  /** Says what to clear away should this process be killed. */
  mourn(remains: Remains): void {
    for (const member of this.#members) send(member, { mourn: remains });
  }

  /** Ends all processes, and with them all that they hold open; resolves when they are gone. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await Promise.all(
      this.#members.map(async (member) => {
        if (member.exitCode !== null || member.signalCode !== null) return;
        const exited = once(member, 'exit');
        member.kill('SIGKILL');
        await exited;
      }),
    );
  }

  #start(program: string, onSample: (sample: Sample) => void): ChildProcess {
    const member = fork(program, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] });
    member.on('message', (message: CrewMessage<Sample>) => {
      if ('sample' in message) {
        onSample(message.sample);
        return;
      }
      this.#waiting.get(message.answerTo)?.resolve(message.answer as never);
      this.#waiting.delete(message.answerTo);
    });
    member.on('exit', (code, signal) => {
      if (this.#isClosing) return;
      const error = new Error(`a load process ended by itself (${String(code ?? signal)})`);
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
    return member;
  }

  #ask<Own extends Question>(member: ChildProcess, question: Own): Promise<Answers[Own['ask']]> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      if (!member.connected) {
        reject(new Error('a load process is gone'));
        return;
      }
      this.#waiting.set(id, { resolve, reject });
      send(member, { id, question });
    });
  }
}

function send<Question>(member: ChildProcess, request: CrewRequest<Question>): void {
  if (member.connected) member.send(request);
}
