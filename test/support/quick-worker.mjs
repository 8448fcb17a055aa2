// A worker of commands that finds out soon that another one died, and that waits shortly for what runs when it is told to
// end; otherwise what `flipgate worker` is.
import path from 'node:path';
import process from 'node:process';
import { systemClock as clock } from '../../dist/core/clock.js';
import { CommandWorker } from '../../dist/core/control/redis/command-worker.js';
import { createLogger } from '../../dist/core/logger.js';

const { REDIS_URL = '', REDIS_KEY_PREFIX = '', COMMANDS_MODULE = '' } = process.env;
const logger = createLogger('info');
const worker = new CommandWorker({
  url: REDIS_URL,
  keyPrefix: REDIS_KEY_PREFIX,
  queue: 'commands',
  commandsModule: path.resolve(COMMANDS_MODULE),
  lockMs: 1000,
  stalledMs: 300,
  closeMs: 300,
  clock,
  logger,
});
process.on('SIGTERM', async () => {
  await worker.close();
  process.exit(0);
});
logger.info('flipgate is working');
