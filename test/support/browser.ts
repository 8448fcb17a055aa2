import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const ARGS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * Starts a headless Chromium: the command or file `CHROMIUM` names, else `/usr/bin/chromium`, else a `chromium` on the
 * PATH. One for each test file; close it in `afterAll`. Should the test process be killed, the pipe between the two
 * breaks, and the browser ends by itself. `names` are those that lead to this machine, as others in a network would.
 */
export async function launchBrowser(names: readonly string[] = []): Promise<Browser> {
  const rules = names.map((name) => `MAP ${name} 127.0.0.1`).join(', ');
  return await chromium.launch({
    executablePath: findChromium(),
    headless: true,
    chromiumSandbox: false,
    args: names.length === 0 ? ARGS : [...ARGS, `--host-resolver-rules=${rules}`],
  });
}

function findChromium(): string {
  const named = process.env.CHROMIUM;
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  const candidates = [
    named ?? '/usr/bin/chromium',
    ...folders.map((folder) => path.join(folder, named ?? 'chromium')),
  ];
  const found = candidates.find(isExecutable);
  if (found === undefined) throw new Error(`there is no ${named ?? 'chromium'}; name one in CHROMIUM`);
  return path.resolve(found);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
