import { existsSync, realpathSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { ConfigFaults } from './core/config/fault.js';
import type { LoadedConfig } from './core/config/load.js';
import type { Logger } from './core/logger.js';
import { type Gateway, startGateway, urlOf } from './gateway.js';
import { runService } from './service.js';

/** Runs a gateway as this process. */
export function launch(): Promise<void> {
  return runService(async (config, logger) => {
    const gateway = await startGateway(config, logger);
    if (gateway instanceof ConfigFaults) return gateway;
    const facts = {
      profile: config.profile,
      transports: config.transports,
      url: urlOf(gateway.address),
      pid: process.pid,
    };
    return {
      started: ['flipgate is serving', facts],
      reload: (loaded) => {
        flipAsConfigured(gateway, loaded, logger);
      },
      stop: () => gateway.stop(),
    };
  });
}

/** At SIGHUP: serves the profile that the env file names now. All other variables are as they were at the start. */
function flipAsConfigured(gateway: Gateway, loaded: LoadedConfig | ConfigFaults, logger: Logger): void {
  if (loaded instanceof ConfigFaults) {
    logger.error('the configuration is faulty, all goes on as before', { faults: loaded.toText() });
    return;
  }
  if (loaded.sources['APP_PROFILE'] === 'environment') {
    logger.warn('APP_PROFILE is set in the environment of this process, which the env file can not override');
  }
  void gateway.flip(loaded.config.profile, { by: 'SIGHUP', address: null, via: 'signal' });
}

/** Whether this file is the program that was started, be it through a symbolic link. */
function isProgram(): boolean {
  const [, program] = process.argv;
  if (program === undefined || !existsSync(program)) return false;
  return realpathSync(program) === fileURLToPath(import.meta.url);
}

if (isProgram()) await launch();
