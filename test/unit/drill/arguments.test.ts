import { describe, expect, test } from '@jest/globals';
import { Command } from 'commander';
import { type DrillArguments, describeDrill } from '../../../src/drill/drill-arguments.js';
import { shownOptions } from '../../../src/drill/drill-options.js';

async function parse(...args: string[]): Promise<DrillArguments> {
  const command = new Command('drill').configureOutput({ writeErr: () => undefined });
  let parsed: DrillArguments | undefined;
  describeDrill(command, (typed) => {
    parsed = typed;
    return Promise.resolve();
  });
  // What ends the process elsewhere is thrown here.
  command.exitOverride();
  await command.parseAsync(args, { from: 'user' });
  if (parsed === undefined) throw new Error('nothing was run');
  return parsed;
}

describe('what is typed', () => {
  test('nothing: the drill that the targets speak of', async () => {
    const { options, report, json } = await parse();
    expect(options).toMatchObject({
      clients: 250,
      legacy: 250,
      rate: 500,
      redisServer: 'redis-server',
      redisUrl: undefined,
      nginx: undefined,
      maxInterruptionMs: 1500,
      maxRefused: 0,
    });
    expect([report, json]).toEqual([undefined, undefined]);
  });

  test('--quick is smaller, and what else is typed wins over it', async () => {
    const { options } = await parse('--quick', '--clients', '7', '--hold', '0.25', '--report', 'r.html');
    expect(options).toMatchObject({ clients: 7, hold: 0.25 });
    expect(options.legacy).toBeLessThan(250);
    expect(options.rate).toBeLessThan(500);
  });

  test('--nginx finds one by itself, or takes the one named', async () => {
    expect((await parse('--nginx')).options.nginx).toMatch(/nginx$/);
    expect((await parse('--nginx', '/opt/nginx')).options.nginx).toBe('/opt/nginx');
  });

  test.each([
    ['--clients', '-1'],
    ['--clients', 'many'],
    ['--clients', '1.5'],
    ['--rate', '0'],
    ['--processes', '0'],
    ['--hold', '-1'],
    ['--patience', ''],
  ])('%s %s is refused', async (name, value) => {
    await expect(parse(`${name}=${value}`)).rejects.toMatchObject({ code: 'commander.invalidArgument' });
  });

  test('a password of Redis is not shown', async () => {
    const { options } = await parse('--redis-url', 'redis://drill:secret@10.0.0.1:6379');
    expect(options.redisUrl).toContain('secret');
    expect(JSON.stringify(shownOptions(options))).not.toContain('secret');
    expect(shownOptions(options).redisUrl).toContain('10.0.0.1');
  });
});
