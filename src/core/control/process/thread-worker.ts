import { constants, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { CommandFaults, importCommands } from '../commands-module.js';
import { type Execution, execute } from '../execution.js';
import { STARTED, type ThreadTask, type ThreadWorkerData } from './thread-task.js';

const { commandsModule, maxResultBytes } = workerData as ThreadWorkerData;
let commands: ReturnType<typeof importCommands> | undefined;

// On Linux a nice value belongs to the thread: where handlers spin on every core, the event loop still comes first.
// Elsewhere it would be the whole process that steps back.
if (process.platform === 'linux') setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

/** Executes one command in this thread. What the pool calls. */
export async function runTask(task: ThreadTask): Promise<Execution> {
  commands ??= importCommands(commandsModule);
  const loaded = await commands;
  if (loaded instanceof CommandFaults) {
    return { ok: false, code: 'command_failed', message: loaded.faults.join('; ') };
  }
  const handler = loaded.get(task.action)?.handler;
  if (handler === undefined) {
    return {
      ok: false,
      code: 'unknown_action',
      message: `the commands module has no handler for ${task.action}`,
    };
  }
  parentPort?.postMessage({ [STARTED]: task.run }, []);
  return execute(handler, { ...task, maxResultBytes });
}
