#!/usr/bin/env node
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import type { Config } from './core/config/config.js';
import { describeConfig } from './core/config/describe.js';
import { ConfigFaults, EXIT_CONFIG, noticesToText } from './core/config/fault.js';
import { type LoadedConfig, loadConfig } from './core/config/load.js';
import { describeDrill } from './drill/drill-arguments.js';
import { describeValidate } from './validate/validate-arguments.js';
import { runningVersion } from './wiring/version.js';

const program = new Command('flipgate')
  .description('A real-time gateway that serves the same events over Socket.IO or over Server-Sent Events.')
  .version(runningVersion());

program
  .command('start')
  .description('run the gateway, configured by the environment')
  .action(async () => {
    const { launch } = await import('./launcher.js');
    await launch();
  });

program
  .command('worker')
  .description('execute the commands that gateways put into Redis, with the handlers of COMMANDS_MODULE')
  .action(async () => {
    const { launchWorker } = await import('./worker.js');
    await launchWorker();
  });

program
  .command('flip')
  .argument('<profile>', 'WEBSOCKET, SSE or HYBRID')
  .description(
    'have a running gateway serve another profile, and tell which clients were moved, came back, or were cut off',
  )
  .option('--all', 'all nodes, one after the other', false)
  .option('--url <url>', 'where a gateway listens (default: HOST and PORT of the configuration)')
  .option('--token <token>', 'JWT or API key with the admin right "flip" (default: FLIPGATE_TOKEN)')
  .action(async (profile: string, { all, url, token }: FlipOptions) => {
    const { runFlip } = await import('./flip-command.js');
    const config = url === undefined ? load()?.config : silentConfig();
    const address = url ?? urlIn(config);
    if (address === undefined) return;
    const shown = token ?? config?.flipgateToken;
    process.exitCode = await runFlip({ profile, all, url: address, token: shown, print });
  });

program
  .command('health')
  .description('ask a running gateway whether it lives; the exit code is 0 if it does, else 1')
  .option('--ready', 'ask whether it should get new clients', false)
  .option('--url <url>', 'where a gateway listens (default: HOST and PORT of the configuration)')
  .action(async ({ ready, url }: { ready: boolean; url?: string }) => {
    const { runHealth } = await import('./health-command.js');
    const address = url ?? urlIn(load()?.config);
    if (address === undefined) return;
    process.exitCode = await runHealth({ ready, url: address, print });
  });

describeDrill(program.command('drill'), async (drill) => {
  const { drillCommand } = await import('./drill/drill-command.js');
  process.exitCode = await drillCommand(drill);
});

describeValidate(program.command('validate'), async (validation) => {
  const { validateCommand } = await import('./validate/validate-command.js');
  process.exitCode = await validateCommand(validation, silentConfig()?.flipgateToken);
});

program
  .command('config')
  .description('print the effective configuration and where each value comes from, secrets masked')
  .action(() => {
    const loaded = load();
    if (loaded === undefined) return;
    print(describeConfig(loaded));
    process.stderr.write(noticesToText(loaded.notices));
  });

/** Tells people a line. */
function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** What `flipgate flip` is told besides the profile. */
interface FlipOptions {
  readonly all: boolean;
  readonly url?: string;
  readonly token?: string;
}

function read(env: NodeJS.ProcessEnv = process.env): LoadedConfig | ConfigFaults {
  return loadConfig({
    env,
    cwd: process.cwd(),
    packageRoot: fileURLToPath(new URL('..', import.meta.url)),
  });
}

/** The configuration; undefined where it has faults, which were told. */
function load(): LoadedConfig | undefined {
  const loaded = read();
  if (!(loaded instanceof ConfigFaults)) return loaded;
  process.stderr.write(loaded.toText());
  process.exitCode = EXIT_CONFIG;
  return undefined;
}

/** The configuration, where the gateway may be another one's and that of this folder does not have to be good. */
function silentConfig(): Config | undefined {
  const { FLIPGATE_TOKEN } = process.env;
  const loaded = [read(), read({ FLIPGATE_TOKEN })].find((one) => !(one instanceof ConfigFaults));
  return loaded instanceof ConfigFaults ? undefined : loaded?.config;
}

/** Where a gateway with this configuration is reached from its own host. */
function urlIn(config: Config | undefined): string | undefined {
  if (config === undefined) return undefined;
  const { host, port } = config;
  const reached =
    host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host;
  return `http://${reached}:${String(port)}`;
}

await program.parseAsync();
