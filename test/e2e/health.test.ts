import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runHealth } from '../../src/health-command.js';
import { killLaunched, type LaunchedGateway, launchGateway } from '../support/launched-gateway.js';
import { type ProgramRun, runProgram } from '../support/run-program.js';

let gateway: LaunchedGateway;

beforeAll(async () => {
  gateway = await launchGateway({ REDIS_URL: '' });
});

afterAll(killLaunched);

const health = (args: readonly string[], variables: Record<string, string> = {}): Promise<ProgramRun> =>
  runProgram('dist/cli.js', ['health', ...args], variables);

/** What is said of an address, and the exit code, without a process of its own. */
const asked = async (url: string): Promise<[code: number, lines: string[]]> => {
  const lines: string[] = [];
  const code = await runHealth({ url, ready: false, print: (line) => lines.push(line) });
  return [code, lines];
};

test('a gateway that lives is found where the configuration has it, or at an address', async () => {
  const { url, port } = gateway;
  const [everywhere, ready] = await Promise.all([
    // As a container has it.
    health([], { PORT: String(port), HOST: '0.0.0.0', ALLOW_INSECURE: 'true' }),
    health(['--ready', '--url', `${url}/`]),
  ]);
  expect(everywhere).toMatchObject({ code: 0, stdout: expect.stringMatching(/^200 /) });
  expect(ready).toMatchObject({ code: 0, stdout: expect.stringContaining('"ready":true') });
});

test('one that hangs, or is gone, is not; nor is what is no address', async () => {
  gateway.process.kill('SIGSTOP');
  expect(await asked(gateway.url)).toEqual([1, [expect.stringContaining('no answer in time')]]);
  await gateway.kill();
  expect(await asked(gateway.url)).toEqual([1, [expect.stringContaining('ECONNREFUSED')]]);
  expect(await asked('localhost')).toEqual([1, [expect.stringContaining('is no address')]]);
  const [gone, faulty] = await Promise.all([health(['--url', gateway.url]), health([], { PORT: 'none' })]);
  expect(gone.code).toBe(1);
  expect(faulty).toMatchObject({ code: 78, stderr: expect.stringContaining('PORT') });
});
