import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { CommandState } from '../../src/core/command.js';
import { claimOf } from '../../src/core/control/claim.js';
import type {
  AskedCommand,
  CommandStore,
  CommandSummary,
  TakenCommand,
} from '../../src/core/control/command-store.js';
import { Refusal } from '../../src/core/errors.js';
import { waitUntil } from '../support/wait-until.js';
import { specOf } from './command-queue.js';

/** A store whose workers have `test/support/commands.mjs`, and what it published. */
export interface OpenedStore {
  readonly store: CommandStore;
  /** The data of all events it published. */
  published(): Promise<readonly unknown[]>;
  /** Closes everything but the store. */
  close(): Promise<unknown>;
}

const principal = { id: 'address:10.0.0.1' };

/** What a gate asks a store to take; `key` undefined: without an idempotency key. */
export function askedFor(action: string, data: unknown = null, key?: string): AskedCommand {
  const claim = key === undefined ? undefined : claimOf(principal.id, key, action, data);
  if (claim instanceof Refusal) throw new Error(claim.code);
  return { command: { id: randomUUID(), action, data, principal }, spec: specOf(action), claim };
}

const askForSleep = (): AskedCommand => askedFor('test.sleep', { ms: 150 }, 'k');

/** What was taken; throws for a refusal, and for nothing. */
export function taken(answer: TakenCommand | Refusal | undefined): TakenCommand {
  if (answer === undefined || answer instanceof Refusal)
    throw new Error(`not taken: ${String(answer?.code)}`);
  return answer;
}

/** What a list says of a command that has ended, whenever that was. */
const summary = ({ id, action }: CommandState) => ({
  id,
  action,
  at: expect.any(Number),
  durationMs: expect.any(Number),
});

/** Two commands of the same millisecond are listed in either order. */
const pause = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 3));

/** A command's state once it has ended. */
export async function ended(answer: TakenCommand | Refusal | undefined): Promise<CommandState> {
  const command = taken(answer);
  await command.ended;
  return command.state();
}

/** What every command store does, wherever it keeps commands. */
export function commandStoreContract(name: string, open: () => Promise<OpenedStore>): void {
  describe(`command store contract: ${name}`, () => {
    const opened: OpenedStore[] = [];

    const openStore = async (): Promise<OpenedStore> => {
      const one = await open();
      opened.push(one);
      return one;
    };

    afterEach(async () => {
      for (const { store, close } of opened.splice(0)) {
        await store.close();
        await close();
      }
    });

    test('a command is queued, then ended, for those who wait and for those who ask', async () => {
      const { store, published } = await openStore();
      const asked = askedFor('test.sleep', { ms: 200 });
      const { id, action } = asked.command;
      const command = taken(await store.take(asked));
      expect([command.replayed, command.state()]).toEqual([false, { id, action, status: 'queued' }]);
      expect(await store.find(id)).toEqual({
        state: { id, action, status: 'queued' },
        principal: principal.id,
      });
      expect(store.open).toBe(1);
      await command.ended;
      const state = { id, action, status: 'succeeded', result: { sleptMs: 200 } };
      expect([command.state(), await store.find(id)]).toEqual([state, { state, principal: principal.id }]);
      await waitUntil(async () => (await published()).length > 0, 'the outcome to be published');
      expect([await published(), store.open]).toEqual([[state], 0]);
    });

    test('a failure has its code, whoever asks', async () => {
      const { store } = await openStore();
      const state = await ended(await store.take(askedFor('test.fail')));
      expect(state).toMatchObject({
        error: { code: 'command_failed', message: 'it failed as it should', retryable: false },
      });
      expect(await store.find(state.id)).toEqual({ state, principal: principal.id });
    });

    test.each([['nobody'], ['00000000-0000-4000-8000-000000000000'], ['wait'], ['events'], ['../x:lock']])(
      'the id %s is nobody’s',
      async (id) => {
        const { store } = await openStore();
        await ended(await store.take(askedFor('test.echo')));
        expect(await store.find(id)).toMatchObject({ code: 'unknown_command' });
      },
    );

    test('a key recalls its command while it runs and when it has ended', async () => {
      const { store, published } = await openStore();
      expect(await store.recall(askForSleep())).toBeUndefined();
      const first = taken(await store.take(askForSleep()));
      const joined = taken(await store.recall(askForSleep()));
      expect([joined.replayed, joined.state()]).toEqual([true, first.state()]);
      expect(await ended(joined)).toEqual(await ended(first));
      const late = taken(await store.recall(askForSleep()));
      expect([late.replayed, late.state()]).toEqual([true, first.state()]);
      expect(taken(await store.take(askForSleep())).state()).toEqual(first.state());
      await waitUntil(async () => (await published()).length > 0, 'the outcome to be published');
      expect(await published()).toEqual([first.state()]);
    });

    test('requests with the same key at the same time are one command', async () => {
      const { store, published } = await openStore();
      const answers = await Promise.all(
        Array.from({ length: 5 }, () => store.take(askedFor('test.echo', 1, 'k'))),
      );
      const states = await Promise.all(answers.map(ended));
      expect(new Set(states.map(({ id }) => id)).size).toBe(1);
      expect(answers.filter((answer) => !taken(answer).replayed)).toHaveLength(1);
      await waitUntil(async () => (await published()).length > 0, 'the outcome to be published');
      expect(await published()).toHaveLength(1);
    });

    test('a key is refused for something else, and recalls nothing of another principal', async () => {
      const { store } = await openStore();
      await ended(await store.take(askedFor('test.echo', 1, 'k')));
      expect(await store.recall(askedFor('test.echo', 2, 'k'))).toMatchObject({
        code: 'idempotency_mismatch',
      });
      expect(await store.take(askedFor('test.echo', 2, 'k'))).toMatchObject({ code: 'idempotency_mismatch' });
      const other = claimOf('address:10.0.0.2', 'k', 'test.echo', 1);
      if (other instanceof Refusal) throw new Error(other.code);
      expect(await store.recall({ ...askedFor('test.echo', 1), claim: other })).toBeUndefined();
    });

    test('without a key, every request is a command of its own', async () => {
      const { store } = await openStore();
      expect(await store.recall(askedFor('test.echo', 1))).toBeUndefined();
      const states = await Promise.all(
        [1, 2].map(async () => ended(await store.take(askedFor('test.echo', 1)))),
      );
      expect(states[0]?.id).not.toBe(states[1]?.id);
    });

    test('lists the newest commands first, with their states, and nothing of what they were asked or gave', async () => {
      const { store } = await openStore();
      expect(await store.recent(10)).toEqual([]);
      const before = Date.now() - 1;
      const done = await ended(await store.take(askedFor('test.echo', { secret: 'hidden' })));
      await pause();
      const failed = await ended(await store.take(askedFor('test.fail')));
      await pause();
      const asked = askedFor('test.sleep', { ms: 800 });
      const running = taken(await store.take(asked));
      const listed = await store.recent(10);
      if (listed instanceof Refusal) throw new Error(listed.code);
      const error = expect.objectContaining({ code: 'command_failed', message: 'it failed as it should' });
      expect(listed).toEqual([
        { id: asked.command.id, action: 'test.sleep', status: 'queued', at: expect.any(Number) },
        { ...summary(failed), status: 'failed', error },
        { ...summary(done), status: 'succeeded' },
      ]);
      expect(JSON.stringify(listed)).not.toContain('hidden');
      for (const { at } of listed) expect(at >= before && at <= Date.now() + 1).toBe(true);
      expect(await store.recent(2)).toEqual(listed.slice(0, 2));
      await running.ended;
      const [newest] = (await store.recent(1)) as readonly CommandSummary[];
      expect(newest).toMatchObject({ id: asked.command.id, status: 'succeeded' });
      expect(newest?.durationMs).toBeGreaterThanOrEqual(790);
    });

    test('a refused command is not listed', async () => {
      const { store } = await openStore();
      await store.close();
      expect(await store.take(askedFor('test.echo'))).toMatchObject({ code: 'shutting_down' });
      const listed = await store.recent(10);
      if (!(listed instanceof Refusal)) expect(listed).toEqual([]);
    });

    test('closed, it takes nothing', async () => {
      const { store } = await openStore();
      await store.close();
      expect(await store.take(askedFor('test.echo', 1, 'k'))).toMatchObject({ code: 'shutting_down' });
    });
  });
}
