import { existsSync, realpathSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { ConfigFaults } from './core/config/fault.js';
import type { LoadedConfig } from './core/config/load.js';
import { Refusal } from './core/errors.js';
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
        void reload(gateway, loaded, logger);
      },
      stop: () => gateway.stop(),
    };
  });
}

/** At SIGHUP: takes over the API keys and the profile that the files name now. All other variables are as they were. */
async function reload(gateway: Gateway, loaded: LoadedConfig | ConfigFaults, logger: Logger): Promise<void> {
  const faults = loaded instanceof ConfigFaults ? loaded : gateway.takeKeys(loaded.config);
  if (faults !== undefined) {
    logger.error('the configuration is faulty, all goes on as before', { faults: faults.toText() });
  } else if (!(loaded instanceof ConfigFaults)) {
    await flipAsConfigured(gateway, loaded, logger);
  }
}

/**
 * Serves the profile that the env file, or the configuration file, names now. Where neither names one, nothing happens: a
 * flip that was asked for otherwise is not undone.
 */
async function flipAsConfigured(gateway: Gateway, loaded: LoadedConfig, logger: Logger): Promise<void> {
  const source = loaded.sources['APP_PROFILE'];
  if (source === 'environment' || source === 'default') {
    const why =
      source === 'environment' ? 'it is set in the environment of this process' : 'no file names one';
    logger.warn(`APP_PROFILE can not be taken from the env file: ${why}; the profile stays`);
    return;
  }
  const { profile } = loaded.config;
  const flipped = await gateway.flip(profile, { by: 'SIGHUP', address: null, via: 'signal' });
  if (!(flipped instanceof Refusal)) return;
  const { code, message } = flipped;
  logger.error('the profile could not be flipped', { profile, code, reason: message });
}

/** Whether this file is the program that was started, be it through a symbolic link. */
function isProgram(): boolean {
  const [, program] = process.argv;
  if (program === undefined || !existsSync(program)) return false;
  return realpathSync(program) === fileURLToPath(import.meta.url);
}

if (isProgram()) await launch();
