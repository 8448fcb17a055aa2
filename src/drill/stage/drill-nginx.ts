import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Closers } from '../../core/closers.js';
import { Child } from '../../rig/child.js';
import { freePorts } from '../../rig/free-port.js';
import type { GatewayNode } from '../../rig/gateway-node.js';
import { until } from '../../rig/until.js';

/** The configuration that ships. */
const SHIPPED = fileURLToPath(new URL('../../../deploy/nginx/flipgate.conf', import.meta.url));
/** Ports of the gateways in it. */
const SHIPPED_PORTS = ['5002', '5003'];
/** How long nginx may take to answer, ms. */
const PATIENCE_MS = 5000;
/** Each client takes two of them. */
const CONNECTIONS = 16_384;
const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

/** An nginx that runs. */
export interface DrillNginx {
  /** Where it listens, without a slash at the end. */
  readonly url: string;
  readonly pid: number | undefined;
}

/**
 * Starts nginx before two gateways, with the configuration that ships. Throws an error that says why it could not. Who
 * closes `closers` ends it.
 */
export async function startNginx(
  program: string,
  folder: string,
  nodes: readonly GatewayNode[],
  closers: Closers,
): Promise<DrillNginx> {
  const [port = 0] = await freePorts(1);
  const own = path.join(folder, 'nginx');
  await mkdir(own);
  const file = path.join(own, 'nginx.conf');
  await writeFile(file, mainConfiguration(own, adapt(await readFile(SHIPPED, 'utf8'), port, nodes)));
  const child = new Child(program, ['-p', own, '-c', file, '-e', 'stderr'], {
    folder: own,
    env: { PATH: process.env['PATH'] },
  });
  closers.add('nginx', () => child.end('SIGKILL'));
  const url = `http://127.0.0.1:${String(port)}`;
  const isReady = (): Promise<boolean> =>
    fetch(`${url}/readyz`).then(
      ({ status }) => status === 200,
      () => false,
    );
  const answers = await until(PATIENCE_MS, async () => !child.isRunning || (await isReady()));
  if (child.isRunning && answers) return { url, pid: child.pid };
  await child.end('SIGKILL');
  throw new Error(
    `${program} did not start: ${child.lines.join(' ') || 'it does not answer'}; name one with --nginx`,
  );
}

/**
 * The shipped configuration for these gateways, on `port` and without TLS. Throws where it is not what this knows how to change: then
 * something else would be rehearsed.
 */
export function adapt(shipped: string, port: number, nodes: readonly { readonly url: string }[]): string {
  let text = shipped;
  const change = (what: RegExp, to: string): void => {
    if (!what.test(text)) throw new Error(`deploy/nginx/flipgate.conf has no ${String(what)}`);
    text = text.replace(what, to);
  };
  for (const [index, shippedPort] of SHIPPED_PORTS.entries()) {
    change(new RegExp(`127\\.0\\.0\\.1:${shippedPort}\\b`, 'g'), new URL(nodes[index]?.url ?? '').host);
  }
  // What only sends browsers to TLS; then the site itself, without.
  change(/^server \{\n\s*listen 80;\n[^{}]*\}$/m, '');
  change(/^\s*listen 443 .*;$/m, `listen 127.0.0.1:${String(port)};`);
  change(/^\s*(?:access|error)_log .*;$/gm, '');
  change(/^\s*ssl_\w+ .*;$/gm, '');
  // All clients of a drill have one address.
  change(/^\s*limit_(?:req|conn) .*;$/gm, '');
  return text;
}

/** One process, so that nothing of it can be left behind. */
function mainConfiguration(folder: string, gateway: string): string {
  const places = TEMPORARY.map((name) => `${name}_temp_path ${path.join(folder, name)};`);
  return [
    'daemon off;',
    'master_process off;',
    `pid ${path.join(folder, 'nginx.pid')};`,
    `worker_rlimit_nofile ${String(CONNECTIONS * 2)};`,
    `events { worker_connections ${String(CONNECTIONS)}; }`,
    'http {',
    'access_log off;',
    ...places,
    gateway,
    '}',
    '',
  ].join('\n');
}
