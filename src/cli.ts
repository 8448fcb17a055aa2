#!/usr/bin/env node
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { describeConfig } from './core/config/describe.js';
import { ConfigFaults, EXIT_CONFIG } from './core/config/fault.js';
import { loadConfig } from './core/config/load.js';

const program = new Command('flipgate').description(
  'A real-time gateway that serves the same events over Socket.IO or over Server-Sent Events.',
);

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
  .command('config')
  .description('print the effective configuration and where each value comes from, secrets masked')
  .action(() => {
    const loaded = loadConfig({
      env: process.env,
      cwd: process.cwd(),
      packageRoot: fileURLToPath(new URL('..', import.meta.url)),
    });
    if (loaded instanceof ConfigFaults) {
      process.stderr.write(loaded.toText());
      process.exitCode = EXIT_CONFIG;
    } else {
      process.stdout.write(`${describeConfig(loaded)}\n`);
    }
  });

await program.parseAsync();
