import { ConfigFaults } from '../core/config/fault.js';
import type { CommandFaults } from '../core/control/commands-module.js';

/** What is wrong with the commands module `file`, as faults of the configuration. */
export function moduleFaults(file: string | undefined, { faults }: CommandFaults): ConfigFaults {
  const value = String(file);
  return new ConfigFaults(
    faults.map((remedy) => ({ variable: 'COMMANDS_MODULE', value, source: value, remedy })),
  );
}
