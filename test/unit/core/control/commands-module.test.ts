import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { DEFAULT_QUEUEING } from '../../../../src/core/control/command-queue.js';
import { loadCommands } from '../../../../src/core/control/command-registry.js';
import {
  CommandFaults,
  importCommands,
  parseCommands,
} from '../../../../src/core/control/commands-module.js';

const handler = () => null;
const builtIn = {
  action: 'host-monitor.start',
  timeoutMs: 1000,
  role: undefined,
  publishes: null,
  where: 'local' as const,
  ...DEFAULT_QUEUEING,
};

const importOthers = (): Promise<unknown> =>
  Promise.resolve({ default: { x: { queue: 'q' }, y: { handler, queue: 'r' } } });

function parsed(commands: unknown) {
  const found = parseCommands({ default: commands });
  if (found instanceof CommandFaults) throw new Error(found.faults.join('\n'));
  return found;
}

describe('parseCommands', () => {
  test('reads a command with everything', () => {
    const definition = {
      handler,
      timeoutMs: 3_600_000,
      role: 'operator',
      publishes: { type: 'governor_update', room: 'a' },
    };
    expect(parsed({ 'governor.start': definition }).get('governor.start')).toEqual({
      handler,
      spec: {
        action: 'governor.start',
        timeoutMs: 3_600_000,
        role: 'operator',
        publishes: { type: 'governor_update', room: 'a' },
        where: 'worker',
        ...DEFAULT_QUEUEING,
      },
    });
  });

  test('fills in what is left out', () => {
    expect(parsed({ x: { handler } }).get('x')?.spec).toEqual({
      action: 'x',
      timeoutMs: 30_000,
      role: undefined,
      publishes: { type: 'command_outcome', room: undefined },
      where: 'worker',
      queue: 'commands',
      attempts: 1,
      backoffMs: 1000,
    });
  });

  test('publishes: false is no event', () => {
    expect(parsed({ x: { handler, publishes: false } }).get('x')?.spec.publishes).toBeNull();
  });

  test.each([
    ['an export named commands', { commands: { x: { handler } } }],
    ['a default export', { default: { x: { handler } } }],
    ['CommonJS', { default: { x: { handler } }, 'module.exports': { x: { handler } } }],
    [
      'what a compiler makes of a default export',
      { default: { __esModule: true, default: { x: { handler } } } },
    ],
  ])('takes %s', (_, exported) => {
    const found = parseCommands(exported);
    expect(found instanceof CommandFaults ? found.faults : [...found.keys()]).toEqual(['x']);
  });

  test.each([[undefined], [null], [{}], [{ default: handler }], [{ default: 'x' }]])(
    '%p has no commands',
    (exported) => {
      expect(parseCommands(exported)).toBeInstanceOf(CommandFaults);
    },
  );

  test.each([
    [{ handler: 'no' }, /handler must be a function/],
    [{}, /handler must be a function/],
    [null, /must be an object/],
    [handler, /must be an object/],
    [{ handler, timeoutMs: 0 }, /timeoutMs/],
    [{ handler, timeoutMs: 3_600_001 }, /timeoutMs/],
    [{ handler, timeoutMs: 1.5 }, /timeoutMs/],
    [{ handler, timeoutMs: '100' }, /timeoutMs/],
    [{ handler, role: '' }, /role/],
    [{ handler, role: 7 }, /role/],
    [{ handler, publishes: true }, /publishes must be/],
    [{ handler, publishes: null }, /publishes must be/],
    [{ handler, publishes: {} }, /publishes\.type/],
    [{ handler, publishes: { type: 'disconnect' } }, /Socket\.IO/],
    [{ handler, publishes: { type: 'a', room: 'no room' } }, /publishes\.room/],
    [{ handler, queue: '' }, /queue must be/],
    [{ handler, queue: 'a:b' }, /queue must be/],
    [{ handler, queue: 'x'.repeat(65) }, /queue must be/],
    [{ handler, attempts: 0 }, /attempts must be/],
    [{ handler, attempts: 11 }, /attempts must be/],
    [{ handler, backoffMs: 0.5 }, /backoffMs must be/],
    [{ handler, timeout: 100 }, /field "timeout"; known are handler, timeoutMs/],
  ])('%p is a fault that says why', (definition, fault) => {
    const found = parseCommands({ default: { 'governor.start': definition } });
    expect(found instanceof CommandFaults ? found.faults : []).toEqual([expect.stringMatching(fault)]);
    expect(found instanceof CommandFaults ? found.faults[0] : '').toMatch(/^"governor\.start": /);
  });

  test('reads how a command is queued, and one that others execute', () => {
    const queueing = { queue: 'governor', attempts: 10, backoffMs: 1 };
    const commands = parsed({ x: { handler }, y: { ...queueing, timeoutMs: 7 } });
    expect(commands.get('y')).toMatchObject({ handler: undefined, spec: { ...queueing, timeoutMs: 7 } });
    expect(commands.get('x')?.spec).toMatchObject(DEFAULT_QUEUEING);
  });

  test('a queue is served by workers of one kind', () => {
    for (const queue of ['commands', 'own']) {
      const found = parseCommands({ default: { x: { handler, queue }, y: { queue } } });
      expect(found instanceof CommandFaults ? found.faults : []).toEqual([
        `"y": has no handler, but others in its queue "${queue}" have one`,
      ]);
    }
  });

  test('every fault is told at once', () => {
    const found = parseCommands({ default: { 'a b': { handler, timeoutMs: -1 }, c: {} } });
    expect(found instanceof CommandFaults ? found.faults : []).toHaveLength(3);
  });
});

describe('loadCommands', () => {
  const file = path.resolve('/srv/my commands.mjs');

  test('imports by URL, which is what Windows needs', async () => {
    const urls: string[] = [];
    const found = await importCommands(file, (url) => {
      urls.push(url);
      return Promise.resolve({ default: { x: { handler } } });
    });
    expect(found).toBeInstanceOf(Map);
    expect(urls).toEqual([pathToFileURL(file).href]);
  });

  test('knows what is built in and what the module defines, and nothing else', async () => {
    const registry = await loadCommands(file, [builtIn], {
      importModule: () => Promise.resolve({ default: { x: { handler } } }),
    });
    if (registry instanceof CommandFaults) throw new Error(registry.faults.join());
    expect(registry.actions).toEqual(['host-monitor.start', 'x']);
    expect(registry.find('host-monitor.start')).toBe(builtIn);
    expect(registry.find('x')?.where).toBe('worker');
    expect(registry.find('constructor')).toBeUndefined();
  });

  test('commands that others execute are known where there are others, and else refused by name', async () => {
    const registry = await loadCommands(file, [builtIn], { importModule: importOthers, workers: true });
    expect(registry instanceof CommandFaults ? [] : [registry.actions, registry.queues]).toEqual([
      ['host-monitor.start', 'x', 'y'],
      ['q', 'r'],
    ]);
    const refused = await loadCommands(file, [builtIn], { importModule: importOthers });
    expect(refused instanceof CommandFaults ? refused.faults : []).toEqual([
      expect.stringMatching(/"x" has no handler.*REDIS_URL/),
    ]);
  });

  test('without a module, only what is built in', async () => {
    const registry = await loadCommands(undefined, [builtIn]);
    expect(registry instanceof CommandFaults ? [] : registry.actions).toEqual(['host-monitor.start']);
  });

  test('a module that cannot be imported, has faults, or takes a built-in name is refused by name', async () => {
    const faultsOf = async (importModule: () => Promise<unknown>): Promise<readonly string[]> => {
      const found = await loadCommands(file, [builtIn], { importModule });
      return found instanceof CommandFaults ? found.faults : [];
    };
    expect(await faultsOf(() => Promise.reject(new Error('Unexpected token')))).toEqual([
      `${file} cannot be imported: Unexpected token`,
    ]);
    expect(await faultsOf(() => Promise.resolve({ default: { x: {} } }))).toEqual([
      expect.stringContaining(`${file}: "x": handler must be a function (data, ctx)`),
    ]);
    expect(await faultsOf(() => Promise.resolve({ default: { 'host-monitor.start': { handler } } }))).toEqual(
      [`${file}: "host-monitor.start" is built in; choose another name`],
    );
  });
});
