import { existsSync, realpathSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { ConfigFaults, EXIT_CONFIG } from './core/config/fault.js';
import { loadConfig } from './core/config/load.js';
import { createLogger } from './core/logger.js';
import { startGateway, urlOf } from './gateway.js';

/** Runs a gateway as this process: reads the configuration, starts, and stops on SIGTERM or SIGINT. */
export async function launch(): Promise<void> {
  const loaded = loadConfig({
    env: process.env,
    cwd: process.cwd(),
    packageRoot: fileURLToPath(new URL('..', import.meta.url)),
  });
  if (loaded instanceof ConfigFaults) return refuse(loaded);
  const { config } = loaded;
  const logger = createLogger(config.logLevel);
  const gateway = await startGateway(config, logger).catch((error: unknown) => {
    const { code } = error as { code?: unknown };
    const hint = code === 'EADDRINUSE' ? `port ${String(config.port)} is taken: set PORT` : undefined;
    logger.error(hint ?? 'the gateway could not start', { error });
    process.exit(1);
  });
  if (gateway instanceof ConfigFaults) return refuse(gateway);
  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) process.exit(1);
    stopping = true;
    logger.info('stopping; a second signal ends at once', { signal });
    void gateway.stop().then(() => {
      process.exit(0);
    });
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // Last, since whoever reads it may send a signal at once.
  logger.info('flipgate is serving', {
    profile: config.profile,
    transports: config.transports,
    url: urlOf(gateway.address),
    pid: process.pid,
  });
}

function refuse(faults: ConfigFaults): void {
  process.stderr.write(faults.toText());
  process.exitCode = EXIT_CONFIG;
}

/** Whether this file is the program that was started, be it through a symbolic link. */
function isProgram(): boolean {
  const [, program] = process.argv;
  if (program === undefined || !existsSync(program)) return false;
  return realpathSync(program) === fileURLToPath(import.meta.url);
}

if (isProgram()) await launch();
