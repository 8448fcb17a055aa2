import { describe, expect, test } from '@jest/globals';
import { Command } from 'commander';
import { describeValidate, type ValidateArguments } from '../../../src/validate/validate-arguments.js';
import { shownOptions } from '../../../src/validate/validate-options.js';

async function parse(...args: string[]): Promise<ValidateArguments> {
  const command = new Command('validate').configureOutput({ writeErr: () => undefined });
  let parsed: ValidateArguments | undefined;
  describeValidate(command, (typed) => {
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
  test('nothing: gateways of its own under all profiles, and the service levels', async () => {
    const { options, json, html } = await parse();
    expect(options).toMatchObject({
      url: undefined,
      token: undefined,
      flip: false,
      profiles: ['WEBSOCKET', 'SSE', 'HYBRID'],
      redis: undefined,
      clients: 200,
      shape: { rate: 500, append: 5, rooms: 1 },
      targets: { p95Ms: 150, lagMs: 30, cpuSavingPercent: 30, backlogSeconds: 60, takenPercent: 95 },
      allowUnmeasured: false,
    });
    expect([json, html]).toEqual([undefined, undefined]);
  });

  test('--quick is smaller, and what else is typed wins over it', async () => {
    const { options } = await parse('--quick', '--clients', '7', '--seconds', '0.5', '--html', 'r.html');
    expect(options).toMatchObject({ clients: 7, seconds: 0.5 });
    expect(options.shape.rate).toBeLessThan(500);
  });

  test('profiles are named in any case, and validated in their own order', async () => {
    expect((await parse('--profiles', 'sse, WebSocket')).options.profiles).toEqual(['WEBSOCKET', 'SSE']);
  });

  test('targets, load and a gateway that runs', async () => {
    const { options } = await parse(
      ...'--url https://gateway.example/ --token secret --flip --profiles SSE'.split(' '),
      ...'--p95 80 --loop-lag 10 --cpu-saving 60 --backlog 5 --taken 50'.split(' '),
      ...'--keys 9 --rooms 3 --bytes 0 --append 0 --rate 1 --warm-up 0'.split(' '),
    );
    expect(options).toMatchObject({
      url: 'https://gateway.example',
      token: 'secret',
      flip: true,
      shape: { keys: 9, rooms: 3, bytes: 0, append: 0, rate: 1 },
      warmUp: 0,
      targets: { p95Ms: 80, lagMs: 10, cpuSavingPercent: 60, backlogSeconds: 5, takenPercent: 50 },
    });
  });

  test('--redis starts one, --redis-url takes one', async () => {
    expect((await parse('--redis')).options.redis).toEqual({ program: 'redis-server', url: undefined });
    const url = 'redis://127.0.0.1:6379';
    expect((await parse('--redis-url', url)).options.redis).toEqual({ program: 'redis-server', url });
  });

  test.each([
    ['--clients=0'],
    ['--clients=many'],
    ['--rate=0'],
    ['--p95=-1'],
    ['--seconds=0'],
    ['--profiles=SSE,POLLING'],
    ['--profiles='],
    ['--url=gateway.example'],
    ['--flip'],
    ['--rooms=6', '--keys=5'],
    ['--url=http://127.0.0.1:5002', '--redis'],
    ['--url=http://127.0.0.1:5002', '--profiles=SSE'],
    ['--no-such-option'],
  ])('%s is refused', async (...args) => {
    await expect(parse(...args)).rejects.toMatchObject({ code: /^commander\./ });
  });

  test('neither a token nor a password is shown', async () => {
    const { options } = await parse('--url', 'http://me:secret@10.0.0.1:5002', '--token', 'secret-token');
    expect(JSON.stringify(shownOptions(options))).not.toContain('secret');
    expect(shownOptions(options).url).toContain('10.0.0.1:5002');
    const redis = await parse('--redis-url', 'redis://me:secret@10.0.0.1:6379');
    expect(JSON.stringify(shownOptions(redis.options))).not.toContain('secret');
  });
});
