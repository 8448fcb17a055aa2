import { existsSync, realpathSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { ConfigFaults } from './core/config/fault.js';
import { openUrl, startGateway } from './gateway.js';
import { Reload } from './reload.js';
import { runService } from './service.js';

/** Runs a gateway as this process. */
export function launch(): Promise<void> {
  return runService(async (loaded, logger) => {
    const { config } = loaded;
    const gateway = await startGateway(config, logger);
    if (gateway instanceof ConfigFaults) return gateway;
    const facts = {
      profile: config.profile,
      transports: config.transports,
      log: config.redisUrl === undefined ? 'memory' : 'redis',
      auth: config.authMode,
      url: openUrl(gateway.address),
      pid: process.pid,
    };
    const reload = new Reload(gateway, loaded, logger);
    return {
      started: ['flipgate is serving', facts],
      reload: (anew) => {
        void reload.run(anew);
      },
      stop: () => gateway.stop(),
    };
  });
}

/** Whether this file is the program that was started, be it through a symbolic link. */
function isProgram(): boolean {
  const [, program] = process.argv;
  if (program === undefined || !existsSync(program)) return false;
  return realpathSync(program) === fileURLToPath(import.meta.url);
}

if (isProgram()) await launch();
