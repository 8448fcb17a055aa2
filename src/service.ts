import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { ConfigFaults, EXIT_CONFIG } from './core/config/fault.js';
import { type LoadedConfig, loadConfig } from './core/config/load.js';
import { createLogger, type Logger } from './core/logger.js';
import { whyNotListening } from './listen-problem.js';

/** What a process of flipgate runs. */
export interface Service {
  /** What is logged once it runs: a message, and facts beside it. */
  readonly started: readonly [message: string, fields: object];
  /** Called at SIGHUP: takes over what changed in the configuration and can be taken over. None: SIGHUP ends it. */
  readonly reload?: (loaded: LoadedConfig | ConfigFaults) => void;
  /** Ends it; resolves when the process may go. */
  stop(): Promise<void>;
}

/**
 * Runs a service as this process: reads the configuration, starts, and stops on SIGTERM or SIGINT; a second one ends at
 * once. At SIGHUP the configuration is read again. Exit code 78 and a text on stderr where the configuration has faults.
 * @param start Starts it; may throw an error whose message says to people why it can't.
 */
export async function runService(
  start: (loaded: LoadedConfig, logger: Logger) => Promise<Service | ConfigFaults>,
): Promise<void> {
  const loaded = load();
  if (loaded instanceof ConfigFaults) return refuse(loaded);
  const { config } = loaded;
  const logger = createLogger(config.logLevel);
  for (const { text, source } of loaded.notices) logger.warn(text, { source });
  const service = await start(loaded, logger).catch((error: unknown) => {
    const known = whyNotListening(error, config);
    if (known === undefined) logger.error('flipgate could not start', { error });
    else logger.error(known);
    process.exit(1);
  });
  if (service instanceof ConfigFaults) return refuse(service);
  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) process.exit(1);
    stopping = true;
    logger.info('stopping; a second signal ends at once', { signal });
    void service.stop().then(() => {
      process.exit(0);
    });
  };
  const { reload } = service;
  // On Windows it comes when a console is closed, which ends the process.
  if (reload !== undefined && process.platform !== 'win32') {
    process.on('SIGHUP', () => {
      reload(load());
    });
  }
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // Last, since whoever reads it may send a signal at once.
  logger.info(...service.started);
}

/** The configuration as the environment and the files have it now. */
function load(): LoadedConfig | ConfigFaults {
  return loadConfig({
    env: process.env,
    cwd: process.cwd(),
    packageRoot: fileURLToPath(new URL('..', import.meta.url)),
  });
}

function refuse(faults: ConfigFaults): void {
  process.stderr.write(faults.toText());
  process.exitCode = EXIT_CONFIG;
}
