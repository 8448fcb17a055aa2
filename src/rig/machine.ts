import { readFileSync } from 'node:fs';
import os from 'node:os';
import process from 'node:process';

/** Where something ran: versions, and the machine. */
export interface Machine {
  readonly flipgate: string;
  readonly node: string;
  readonly system: string;
  readonly cpu: string;
  readonly cores: number;
}

/** Where this runs. */
export function thisMachine(): Machine {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  return {
    flipgate: version,
    node: process.version,
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    cpu: os.cpus()[0]?.model.trim() ?? '',
    cores: os.cpus().length,
  };
}
